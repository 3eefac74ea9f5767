import { readFile } from 'node:fs/promises';
import { launchBrowser } from '../test/support/browser.ts';

/**
 * Makes a picture of a part of a page, as in docs/images: `npx tsx bench/page-picture.ts report.html picture.png [SECTION]`.
 * Without a section it begins at the top. Fonts are those that the browser finds here.
 */
const [source, picture, section] = process.argv.slice(2);
if (source === undefined || picture === undefined) {
  console.error('expected the path of a page and of the picture, found too few arguments');
  process.exit(2);
}
const size = { width: 1200, height: 980 };
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: size, colorScheme: 'light' });
await page.setContent(await readFile(source, 'utf8'));
const box = section === undefined ? null : await page.locator(`#${section}`).boundingBox();
await page.screenshot({
  path: picture,
  fullPage: true,
  clip: { x: 0, y: box === null ? 0 : box.y - 16, ...size },
});
await browser.close();
