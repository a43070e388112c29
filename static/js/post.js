// Sends a form and understands the answer.

const PAUSES_MS = [500, 1500, 4000];

/** What went wrong, in a sentence for the person. */
export class Problem extends Error {
  constructor(detail, { code = "", isWorthRepeating = false } = {}) {
    super(detail);
    this.code = code;
    this.isWorthRepeating = isWorthRepeating;
  }
}

/**
 * Post fields to a form's address and return the JSON answer.
 * A lost connection or a gateway's error is tried again, with the same body: the key
 * in it makes that safe. Throws a Problem.
 */
export async function post(url, fields) {
  for (const pause of [...PAUSES_MS, null]) {
    try {
      return await once(url, fields);
    } catch (problem) {
      if (!problem.isWorthRepeating || pause === null) throw problem;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

async function once(url, fields) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(fields),
    });
  } catch {
    throw new Problem("The server can't be reached. Your text is kept here.", {
      isWorthRepeating: true,
    });
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  if (answer?.detail) throw new Problem(answer.detail, { code: answer.error_code });
  throw new Problem(`The server answered with an error (${response.status}). Your text is kept here.`, {
    isWorthRepeating: response.status >= 500,
  });
}
