"""Pictures that go with a message, fetched here.

Some model libraries fetch a picture's address themselves and others have the provider do it; either way a spell
would reach hosts that nobody granted. So what is sent is always the picture itself, and it comes through the guard.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from llmspell.errors import ArgumentError, BridgeError
from llmspell.plugin import Call
from llmspell_llm.conversation import Image, Message

MAX_BYTES = 20 * 1024 * 1024


async def with_pictures(call: Call, conversation: Sequence[Message]) -> Sequence[Message]:
    """Return a conversation whose pictures are there, not only their addresses.

    Raises:
        PolicyDeniedError: The policy does not grant a picture's host.
        BridgeError: A picture cannot be fetched, or is none.
    """
    if not any(image.url for message in conversation for image in message.images):
        return conversation
    return [
        replace(message, images=tuple(await asyncio.gather(*(_fetched(call, image) for image in message.images))))
        for message in conversation
    ]


async def _fetched(call: Call, image: Image) -> Image:
    if not image.url:
        return image
    if image.url.startswith("data:"):
        return _unpacked(image.url)
    reply = await call.net.request("GET", image.url, max_bytes=MAX_BYTES)
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if reply.status != 200 or not media_type.startswith("image/"):
        said = f"status {reply.status}" if reply.status != 200 else f"it is {media_type or 'of no known type'}"
        raise BridgeError(f"there is no picture at {image.url[:200]}: {said}", code="bad_response")
    return Image(data=reply.body, media_type=media_type)


def _unpacked(url: str) -> Image:
    head, comma, body = url.removeprefix("data:").partition(",")
    media_type, *rest = head.split(";")
    try:
        data = base64.b64decode(body, validate=True) if "base64" in rest else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        data = b""
    if not comma or not media_type.startswith("image/") or not data:
        raise ArgumentError("an image's data: address should hold a picture in base64", parameter="images")
    return Image(data=data, media_type=media_type)
