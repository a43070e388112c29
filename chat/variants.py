"""Which variant a conversation gets: decided at its first turn, kept, or flipped.

Runs in the transaction that opens the turn, so a kill that was committed is obeyed.
"""

from chat import conf, registrations, statements
from chat.models import Conversation, VariantChange
from flags import evaluation
from flags.evaluation import Evaluation, Reason, Variant

_STORE = "UPDATE chat_conversation SET variant = %s WHERE id = %s"


def settle(conversation: Conversation) -> Evaluation:
    """Decide for this turn and remember it.

    One that was begun before there were variants is no newcomer: growth passes it by.
    A flag that has no row decides for this turn only: nobody meant it.
    """
    held = conversation.variant or _before(conversation)
    decided = evaluation.evaluate(
        conf.FLAG, targeting_key=str(conversation.pk), held=held
    )
    if decided.reason is Reason.ERROR or decided.variant == conversation.variant:
        return decided
    statements.run(_STORE, [decided.variant, conversation.pk])
    if held not in {"", decided.variant}:
        VariantChange.objects.create(
            conversation=conversation,
            old=held,
            new=decided.variant,
            reason=decided.reason,
        )
        registrations.close(conversation.pk)
    return decided


def _before(conversation: Conversation) -> str:
    """Return what a conversation has had without a decision; empty for a new one."""
    return Variant.OFF if conversation.message_count else ""
