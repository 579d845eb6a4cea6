"""What becomes of a message that is too large for a frame: never silence, always a typed limit."""

from __future__ import annotations

from typing import Any

import msgspec

from llmspell.engine.messages import Call, Delivery, Done, Emit, Failed, Failure, Fault, Replies, Reply
from llmspell.errors import ConversionError, ResourceExhausted
from llmspell.runtime.worker.frames import MAX_FRAME, FrameError, frame
from llmspell.values.wire import encode

_ROOM = MAX_FRAME - 1024  # what is put around a message in its frame
_KEPT_TEXT = 64 * 1024


def fit(message: Any) -> Any:
    """Return a guest's message, or what to say instead of it.

    A call that is too large is answered here with a fault, as a :class:`Reply`; a result becomes the failure
    that names the limit; an account of a failure loses its frames and value, and keeps the start of its text.
    """
    try:
        if not _may_be_large(message) or len(encode(message)) <= _ROOM:
            return message
    except ConversionError as error:
        return _without(message, error)
    kind = type(message)
    if kind is Call:
        return Reply(message.id, None, Fault("too_large", f"the arguments of {message.method} {_LIMIT}"))
    if kind is Done:
        return Failed(_too_large("the result"), message.id)
    if kind is Failed:
        return Failed(_shortened(message.failure), message.id)
    if kind is Emit:
        return Emit("warning", {"code": "too_large", "message": f"an event {_LIMIT}; it was dropped"})
    return message


def _without(message: Any, error: ConversionError) -> Any:
    """Return what to say instead of a message that holds what has no wire form."""
    kind = type(message)
    if kind is Call:
        return Reply(message.id, None, Fault(error.code, error.message))
    if kind is Done:
        return Failed(Failure(kind="conversion", message=error.message), message.id)
    if kind is Failed:
        return Failed(_shortened(message.failure), message.id)
    return Emit("warning", {"code": error.code, "message": f"an event was dropped: {error.message}"})


_LIMIT = f"take more than {MAX_FRAME:,} bytes, the limit of one message"


def frames_of(word: Delivery) -> list[tuple[Delivery, bytes]]:
    """Frame what the host says: in one frame, or several that are each answered where replies are large together.

    A reply that is too large, or has no wire form, becomes a fault that says so.

    Raises:
        ResourceExhausted: Another message is too large.
        ConversionError: Another message has no wire form.
    """
    try:
        return [(word, frame(encode(word)))]
    except (FrameError, ConversionError) as error:
        if isinstance(word, Replies):
            replies = word.replies
            if len(replies) == 1:
                return frames_of(replies[0])
            middle = len(replies) // 2
            return frames_of(Replies(replies[:middle])) + frames_of(Replies(replies[middle:]))
        if isinstance(word, Reply):
            return [(word, frame(encode(_instead(word, error))))]
        if isinstance(error, ConversionError):
            raise
        raise ResourceExhausted(f"source, parameters or arguments {_LIMIT}", limit="message", value=MAX_FRAME) from None


def _instead(reply: Reply, error: FrameError | ConversionError) -> Reply:
    if isinstance(error, ConversionError):
        return Reply(reply.id, None, Fault(error.code, error.message))
    return Reply(reply.id, None, Fault("too_large", f"the result of the call {_LIMIT}"))


def _may_be_large(message: Any) -> bool:
    """Rule out, without encoding it twice, a message of a few small scalars."""
    kind = type(message)
    parts = message.args if kind is Call else message.values if kind is Done else None
    if parts is None or len(parts) > 16:
        return True
    for part in parts:
        scalar = type(part)
        if scalar is int:
            if part.bit_length() >= 64:
                return True
        elif scalar is str or scalar is bytes:
            if len(part) >= 65536:
                return True
        elif part is not None and scalar is not float and scalar is not bool:
            return True
    return False


def _too_large(what: str) -> Failure:
    return Failure(kind="limit", limit="message", limit_value=MAX_FRAME, message=f"{what} {_LIMIT}")


def _shortened(failure: Failure) -> Failure:
    return msgspec.structs.replace(failure, message=failure.message[:_KEPT_TEXT], frames=(), value=None)
