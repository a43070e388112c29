// Copies an answer or a piece of code.

/** Give each code block in `root` its own button. */
export function addCodeButtons(root) {
  for (const head of root.querySelectorAll(".code-head")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "code-copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the code");
    head.append(button);
  }
}

/** Handle the clicks on all present and future copy buttons inside `root`. */
export function handleCopies(root) {
  root.addEventListener("click", async (event) => {
    const button = event.target.closest(".code-copy, [data-copy]");
    if (!button) return;
    const source = button.matches(".code-copy")
      ? button.closest(".code").querySelector("code")
      : button.closest(".message").querySelector(".message-body");
    button.textContent = (await copy(source)) ? "Copied" : "Not allowed";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

async function copy(element) {
  const heads = element.querySelectorAll(".code-head");
  for (const head of heads) head.hidden = true;
  const text = element.innerText;
  for (const head of heads) head.hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(element);
  }
}

/** Pages served over plain HTTP have no clipboard: select and copy as one did. */
function copySelected(element) {
  const selection = getSelection();
  selection.selectAllChildren(element);
  const isDone = document.execCommand("copy");
  selection.removeAllRanges();
  return isDone;
}
