// Stays at the newest text while the reader is there, and never pulls them back.

const NEAR_PX = 120;

/** Follow the growth of `content`; `jump` is the button back to the newest text. */
export function stayAtEnd(content, jump) {
  let isAtEnd = true;

  const look = () => {
    const left = document.documentElement.scrollHeight - innerHeight - scrollY;
    isAtEnd = left < NEAR_PX;
    jump.hidden = isAtEnd;
  };
  const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

  addEventListener("scroll", look, { passive: true });
  addEventListener("resize", () => isAtEnd && toEnd());
  new ResizeObserver(() => (isAtEnd ? toEnd() : look())).observe(content);
  jump.addEventListener("click", toEnd);
  if (!location.hash) toEnd();
  return toEnd;
}
