// Says what an answer was like, or takes it back.
import { announce } from "./dom.js";
import { post } from "./post.js";

const SPOKEN = { good: "Rated as good", bad: "Rated as bad", "": "Rating taken back" };

/** Handle the ratings of all present and future messages inside `root`. */
export function handleRatings(root, onProblem) {
  root.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-rate]");
    if (!form) return;
    event.preventDefault();
    const fields = new FormData(form);
    fields.set("rating", event.submitter.value);
    try {
      const { rating } = await post(form.action, fields);
      show(form, rating);
      announce(SPOKEN[rating]);
    } catch (problem) {
      onProblem(problem);
    }
  });
}

function show(form, rating) {
  for (const button of form.querySelectorAll("button")) {
    const isChosen = button.dataset.word === rating;
    button.setAttribute("aria-pressed", isChosen);
    button.value = isChosen ? "" : button.dataset.word;
  }
}
