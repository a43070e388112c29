"""A Gemini-compatible server on this machine; it needs no key and no Django."""
