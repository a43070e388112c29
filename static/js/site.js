// What every page does: local times, and no drafts left behind after signing out.
import { localiseTimes } from "./dom.js";
import { forgetAll } from "./drafts.js";

localiseTimes(document);
document
  .querySelector('form[action$="/logout"]')
  ?.addEventListener("submit", () => forgetAll());
