import type { Interval, ScenarioResult } from '../../../result.ts';
import type { SettingGroup } from '../../../scenario/setting.ts';
import { clearlyLess, clearlyMore } from '../../../stats/statistics.ts';
import { formatInterval, formatRatio, formatRatioInterval } from '../../../text/format.ts';
import type { Chart } from '../../blocks.ts';
import type { Format } from '../charts/axis.ts';
import type { LegendEntry } from '../charts/frame.ts';
import { type Strip, stripChart } from '../charts/strip-chart.ts';
import { bySize, nameSize } from '../scenario-names.ts';

/** A row for each scenario whose figure is above 0: others have no place on a logarithmic axis. */
export function scenarioStrips(
  groups: readonly SettingGroup[],
  figure: (scenario: ScenarioResult) => Interval | null,
  notes: (scenario: ScenarioResult) => readonly string[] = () => [],
): Strip[] {
  return groups.flatMap(({ label, scenarios }) =>
    scenarios.toSorted(bySize).flatMap((scenario): Strip[] => {
      const interval = figure(scenario);
      if (interval === null || interval.median <= 0) return [];
      return [
        { label, group: nameSize(scenario), marks: [{ look: 0, ...interval }], notes: notes(scenario) },
      ];
    }),
  );
}

interface Strips {
  readonly title: string;
  /** What the rows are, to follow the unit. */
  readonly how: string;
  readonly rows: readonly Strip[];
  readonly legend?: readonly LegendEntry[];
}

/** Figures with their intervals in rows; no chart of no rows. */
export function figureStrips(
  { how, ...drawn }: Strips,
  { unit, format }: { readonly unit: string; readonly format: Format },
  formatMark = (interval: Interval) => formatInterval(interval, format),
): Chart[] {
  if (drawn.rows.length === 0) return [];
  return [stripChart({ ...drawn, subtitle: `${unit}, ${how}`, unit, format, formatMark })];
}

/** Ratios with their intervals in rows, and a line where nothing differs; no chart of no rows. */
export function ratioStrips({ how, ...drawn }: Strips): Chart[] {
  if (drawn.rows.length === 0) return [];
  return [
    stripChart({
      ...drawn,
      subtitle: how,
      unit: '×',
      reference: 1,
      include: [clearlyLess, clearlyMore],
      format: formatRatio,
      formatMark: formatRatioInterval,
    }),
  ];
}
