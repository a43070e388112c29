"""The live Gemini sessions of this process: what each has been told so far.

Which of them may be used, and how many there may be, is decided for all processes
together in `registrations`.
"""

from dataclasses import dataclass

from chat.contents import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation as the model knows it, up to the message `version`.

    Either we keep its `contents`, or the provider does under `interaction_id`. A turn
    makes a new one, so whoever holds an old one is not disturbed.
    """

    conversation_id: int
    strategy: str
    model: str
    version: int
    message_count: int
    contents: tuple[Content, ...] = ()
    size_bytes: int = 0
    interaction_id: str = ""


class Pool:
    """Sessions by conversation. Every step takes the same time, however many there are.

    Used by the event loop and by the database threads.
    """

    def __init__(self) -> None:
        self._sessions: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, conversation_id: int) -> Session | None:
        """Return a conversation's session, if it has one here."""
        return self._sessions.get(conversation_id)

    def keep(self, session: Session) -> None:
        """Put a session in the place of an older one."""
        self._sessions[session.conversation_id] = session

    def drop(self, conversation_id: int) -> bool:
        """Forget a conversation's session; tell whether there was one."""
        return self._sessions.pop(conversation_id, None) is not None

    def all(self) -> dict[int, Session]:
        """Return what is kept at this moment."""
        return dict(self._sessions)

    def drop_unless(self, held: set[int], *, seen: dict[int, Session]) -> int:
        """Forget those of `seen` that are not in `held`, unless renewed since.

        Returns how many went.
        """
        gone = [
            each
            for each, session in seen.items()
            if each not in held and self._sessions.get(each) is session
        ]
        return sum(self.drop(each) for each in gone)


_pool = Pool()


def pool() -> Pool:
    """Return this process's sessions."""
    return _pool
