// A conversation: sends, streams, stops, tries again.
import { addCodeButtons, handleCopies } from "./copy.js";
import { announce, localiseTimes, nodesOf } from "./dom.js";
import { takeOver } from "./composer.js";
import { post, Problem } from "./post.js";
import { handleRatings } from "./rating.js";
import { stayAtEnd } from "./scroll.js";
import { follow } from "./stream.js";

const messages = document.getElementById("messages");
const stopForm = document.getElementById("stop");

const toEnd = stayAtEnd(document.querySelector(".conversation"), document.getElementById("jump"));
const composer = takeOver(document.getElementById("composer"), {
  onSent(answer) {
    leaveEarlierAsTheyAre();
    put(answer.user_html);
    put(answer.assistant_html);
    setTitle(answer.title);
    followAnswer(answer);
    toEnd();
  },
  onEscape: stop,
});

function prepared(html) {
  const nodes = nodesOf(html);
  localiseTimes(nodes);
  addCodeButtons(nodes);
  return nodes;
}

/** Add a message at the end, or in its place when it is on the page already. */
function put(html) {
  const nodes = prepared(html);
  const present = document.getElementById(nodes.firstElementChild.id);
  if (present) present.replaceWith(nodes);
  else messages.append(nodes);
}

/** Only the last answer can be tried again. */
function leaveEarlierAsTheyAre() {
  for (const actions of messages.querySelectorAll(".message-actions")) actions.remove();
  for (const note of messages.querySelectorAll(".message-note")) {
    note.textContent = note.textContent.replace("; retry or continue it", "");
  }
}

function followAnswer({ message_id: id, events_url: url }) {
  const article = document.getElementById(`m${id}`);
  if (!article.hasAttribute("aria-busy")) return ended(article);
  composer.setRunning(true);
  announce("Generating…");
  follow(article, url, {
    onChange: addCodeButtons,
    onEnd: ended,
    onLost() {
      composer.setRunning(false);
      composer.show(
        new Problem("The connection is lost. The answer goes on at the server.", {
          code: "SESSION_BUSY",
        }),
      );
    },
  });
}

function ended(article) {
  localiseTimes(article);
  if (!article.querySelector(".code-copy")) addCodeButtons(article);
  composer.setRunning(false);
  const note = article.querySelector(".message-note");
  announce(note ? note.textContent : "Answer complete");
}

function setTitle(title) {
  document.getElementById("title").textContent = title;
  document.title = `${title} · Oracle`;
  const listed = document.querySelector('.sidebar [aria-current="page"] .sidebar-title');
  if (listed) listed.textContent = title;
}

async function stop() {
  try {
    await post(stopForm.action, new FormData(stopForm));
  } catch (problem) {
    composer.show(problem);
  }
}

stopForm.addEventListener("submit", (event) => {
  event.preventDefault();
  stop();
});

messages.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-again]");
  if (!form) return;
  event.preventDefault();
  const broken = form.closest(".message");
  const buttons = broken.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await post(form.action, new FormData(form));
    broken.replaceWith(prepared(answer.assistant_html));
    composer.show(null);
    followAnswer(answer);
  } catch (problem) {
    for (const button of buttons) button.disabled = false;
    composer.show(problem);
  }
});

handleCopies(messages);
handleRatings(messages, (problem) => composer.show(problem));
addCodeButtons(messages);
const running = messages.querySelector('.message[aria-busy="true"]');
if (running) {
  followAnswer({ message_id: running.id.slice(1), events_url: messages.dataset.events });
}
if (matchMedia("(hover: hover)").matches) composer.focus();
