// Starts a conversation.
import { takeOver } from "./composer.js";

const composer = takeOver(document.getElementById("composer"), {
  onSent: (answer) => location.assign(answer.location),
});
// A phone's keyboard would cover half of the page.
if (matchMedia("(hover: hover)").matches) composer.focus();
