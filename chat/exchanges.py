"""One turn's exchange with the model: with its session, or with what can replace it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial

import structlog

from chat import database, gemini, histories, plans, stored_interactions
from chat.completion import Completion, Kept, Piece
from chat.contents import Line
from chat.errors import (
    DatabaseBusy,
    GeminiError,
    GeminiRejected,
    InteractionForgotten,
    InteractionsUnsupported,
)
from chat.plans import Plan, SessionNote, SessionOutcome
from chat.sessions import Session
from chat.strategies import HISTORY, INTERACTIONS, STATELESS, Answered

log = structlog.get_logger(__name__)

_UNSUPPORTED_FOR_S = 600.0
_unsupported_until = 0.0


class Exchange:
    """Carries out a plan and says, at its end, what became of it.

    `strategy`, `outcome` and `note` are what really happened: they may change until the
    first piece of text has come. `session_ms` is what getting the session took;
    `interaction_ids` name all that the provider keeps of it.
    """

    def __init__(self, plan: Plan, *, message_id: int) -> None:
        self.conversation_id = plan.conversation_id
        self.model = plan.context.model
        self.strategy = plan.strategy
        self.outcome = plan.outcome
        self.note = plan.note
        self.session_ms = 0.0
        self.interaction_ids: list[str] = []
        self._message_id = message_id
        self._question_id = plan.question_id
        self._context = plan.context
        self._recovery = plan.recovery
        self._recent = plan.recent
        self._has_begun = False

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Yield the answer's pieces and, last, one Completion.

        A session that can't be used is replaced before the first text, in one call
        each: by one that is recovered, or by the recent messages.

        Raises: errors.GeminiError, errors.DatabaseBusy.
        """
        async with self._timed():
            await self._prepare()
        while True:
            try:
                async with aclosing(self._attempt()) as pieces:
                    async for piece in pieces:
                        yield piece
            except GeminiError as error:
                async with self._timed():
                    is_replaced = await self._replaced(error)
                if not is_replaced:
                    raise
            else:
                return

    @asynccontextmanager
    async def _timed(self) -> AsyncGenerator[None, None]:
        """Add the time that getting the session takes, also where it fails."""
        began_at = time.perf_counter()
        try:
            yield
        finally:
            self.session_ms += (time.perf_counter() - began_at) * 1000

    def after(self, text: str, completion: Completion) -> Session | None:
        """Return the session that a good end leaves behind, if any."""
        answered = Answered(self.conversation_id, self._message_id, text, completion)
        return self.strategy.after(self._context, answered)

    async def _attempt(self) -> AsyncGenerator[Piece, None]:
        prompt = self.strategy.prompt(self._context)
        async with aclosing(gemini.model().stream(prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Kept):
                    self._remember(piece.interaction_id)
                else:
                    self._has_begun = True
                    yield piece

    def _remember(self, interaction_id: str) -> None:
        """Note at once what the provider keeps, or nobody could delete it there.

        The end notes it again: now the database may be away, and nobody waits for it.
        """
        self.interaction_ids.append(interaction_id)
        database.post(
            partial(
                stored_interactions.add,
                interaction_id,
                message_id=self._message_id,
                model=self.model,
            )
        )

    async def _prepare(self) -> None:
        if self.strategy is INTERACTIONS and time.monotonic() < _unsupported_until:
            await self._use_history()
        elif self.outcome == SessionOutcome.RECOVERED:
            await self._recover()

    async def _replaced(self, error: GeminiError) -> bool:
        """Find another way to ask; False: there is none, or text has come already."""
        session = self._context.session
        if self._has_begun or self.strategy is STATELESS:
            return False
        if isinstance(error, InteractionsUnsupported):
            _remember_unsupported()
            await self._use_history()
        elif isinstance(error, InteractionForgotten) and session:
            self.note = SessionNote.FORGOTTEN
            await self._recover(is_anew=True)
        elif type(error) is GeminiRejected and (session or self._context.history):
            # It may be about old signatures: a transcript has none.
            await self._fall_back(SessionNote.REJECTED)
        else:
            return False
        return True

    async def _use_history(self) -> None:
        """Keep the conversation ourselves: the provider does not."""
        self.strategy, self.note = HISTORY, SessionNote.UNSUPPORTED
        if self._context.session or self.outcome == SessionOutcome.RECOVERED:
            await self._recover()

    async def _recover(self, *, is_anew: bool = False) -> None:
        """Bring the session back from what is stored, or fall back to stateless.

        `is_anew`: from our own messages, since the provider has forgotten its state.
        """
        if not self._recovery.is_allowed:
            await self._fall_back(SessionNote.RECOVERY_DISABLED)
            return
        try:
            async with asyncio.timeout(self._recovery.timeout_s):
                session, history = await database.read(
                    partial(self._stored, is_anew=is_anew)
                )
        except TimeoutError:
            await self._fall_back(SessionNote.RECOVERY_TIMEOUT)
        except DatabaseBusy:
            await self._fall_back(SessionNote.RECOVERY_FAILED)
        else:
            is_first = session is None and not history
            self.outcome = (
                SessionOutcome.CREATED if is_first else SessionOutcome.RECOVERED
            )
            self._context = replace(self._context, session=session, history=history)

    def _stored(self, *, is_anew: bool) -> tuple[Session | None, list[Line]]:
        """Read, on a database thread, the state to go on from and what came since."""
        if self.strategy is INTERACTIONS and not is_anew:
            session = stored_interactions.newest(
                conversation_id=self.conversation_id,
                before_id=self._question_id,
                model=self.model,
            )
            since = self._since(session) if session else None
            if session is not None and since is not None:
                return session, since
        return None, histories.newest_signed(
            conversation_id=self.conversation_id,
            before_id=self._question_id,
            limit=self._recovery.max_messages,
            model=self.model,
        )

    def _since(self, session: Session) -> list[Line] | None:
        return histories.signed(
            conversation_id=self.conversation_id,
            before_id=self._question_id,
            after_id=session.version,
            limit=self._recovery.max_messages,
            model=self.model,
        )

    async def _fall_back(self, note: str) -> None:
        """Send the recent messages as one prompt: the person gets an answer."""
        history = self._recent
        if history is None:
            history = await database.read(
                partial(plans.recent, self.conversation_id, self._question_id)
            )
        self._context = replace(self._context, session=None, history=history)
        if not history:
            self.outcome = SessionOutcome.CREATED
            return
        self.strategy, self.note = STATELESS, note
        self.outcome = SessionOutcome.STATELESS


def _remember_unsupported() -> None:
    """Ask for no interaction for a while: each try costs the person a round trip."""
    global _unsupported_until  # noqa: PLW0603 - one server for the whole process
    _unsupported_until = time.monotonic() + _UNSUPPORTED_FOR_S
    log.warning("interactions.unsupported", again_in_s=_UNSUPPORTED_FOR_S)
