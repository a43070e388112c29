"""Its two tables, and the two transactions of a turn."""

import os
from datetime import UTC, datetime
from typing import Any

from fastapi import HTTPException
from sqlalchemy import Engine, event
from sqlmodel import Field, Session, SQLModel, create_engine, desc, select

_HISTORY_MESSAGES = 20


def _now() -> datetime:
    return datetime.now(UTC)


class ChatSession(SQLModel, table=True):
    """A conversation."""

    id: int | None = Field(default=None, primary_key=True)
    title: str = "New Chat"
    created_at: datetime = Field(default_factory=_now)
    updated_at: datetime = Field(default_factory=_now)


class Message(SQLModel, table=True):
    """What one side said."""

    id: int | None = Field(default=None, primary_key=True)
    session_id: int = Field(foreign_key="chatsession.id", index=True)
    role: str
    content: str
    timestamp: datetime = Field(default_factory=_now)


def connect() -> Engine:
    """Open the database as durably as the product does.

    The earlier edition left SQLite at its defaults; under 50 callers those answer
    "database is locked". A connection for each thread keeps its pool from stalling.
    """
    engine = create_engine(
        f"sqlite:///{os.environ['PEER_DATABASE']}",
        connect_args={"check_same_thread": False, "timeout": 30},
        pool_size=50,
        max_overflow=50,
    )

    @event.listens_for(engine, "connect")
    def _use_write_ahead_log(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    SQLModel.metadata.create_all(engine)
    return engine


_engine = connect()


def begin() -> dict[str, Any]:
    """Store a new conversation."""
    with Session(_engine) as session:
        chat = ChatSession()
        session.add(chat)
        session.commit()
        session.refresh(chat)
        return chat.model_dump(mode="json")


def open_turn(session_id: int, text: str) -> tuple[Message, str]:
    """Store the question; return it with the prompt: the last messages, pasted."""
    with Session(_engine) as session:
        if session.get(ChatSession, session_id) is None:
            raise HTTPException(404)
        message = Message(session_id=session_id, role="user", content=text)
        session.add(message)
        session.commit()
        session.refresh(message)
        newest_first = session.exec(
            select(Message)
            .where(Message.session_id == session_id)
            .order_by(desc(Message.id))
            .limit(_HISTORY_MESSAGES + 1)
        ).all()
        lines = [
            f"{'User' if said.role == 'user' else 'Assistant'}: {said.content}"
            for said in reversed(newest_first)
        ]
        session.expunge_all()
        return message, "The conversation so far:\n\n" + "\n\n".join(lines)


def close_turn(session_id: int, question: Message, text: str) -> dict[str, Any]:
    """Store the answer; return the turn as the API shows it."""
    with Session(_engine) as session:
        answer = Message(session_id=session_id, role="assistant", content=text)
        session.add(answer)
        chat = session.get_one(ChatSession, session_id)
        chat.updated_at = _now()
        session.commit()
        session.refresh(answer)
        session.refresh(chat)
        return {
            "status": "complete",
            "user_message": question.model_dump(mode="json"),
            "assistant_message": answer.model_dump(mode="json"),
            "session": chat.model_dump(mode="json"),
        }
