// Starts a conversation.
import { takeOver } from "./composer.js";

takeOver(document.getElementById("composer"), {
  onSent: (answer) => location.assign(answer.location),
}).focus();
