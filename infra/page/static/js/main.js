/** Where the page begins. */

import { Banners } from "./banners.js";
import { Page } from "./page.js";
import { parts } from "./parts.js";
import { sections } from "./sections.js";

const banners = new Banners(parts("link", "list", "state"));
new Page(sections, banners).begin();
