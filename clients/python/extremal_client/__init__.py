"""Client of the extremal perturbations service: which part of an image does a network need to see?

    client = Client("http://127.0.0.1:8000")
    result = client.explain("photo.jpg", target="bus")
    result.masks[result.optimal_area].image()

`AsyncClient` has the same methods for asyncio. What goes wrong is an `ExtremalError` that says what to change.
"""

from .async_client import AsyncClient, AsyncFile
from .client import Client, File
from .core.batches import Outcome
from .core.following import Event
from .errors import (
    ExtremalError,
    InvalidRequest,
    JobFailed,
    JobRemoved,
    NotAllowed,
    NotFound,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    WebhookInvalid,
)
from .notebook import beside
from .progress import BatchProgress
from .results import Channels, ClassChannels, Comparison, Explanation, Result
from .version import __version__
from .webhooks import WebhookMessage, verify_webhook

__all__ = [
    "AsyncClient",
    "AsyncFile",
    "BatchProgress",
    "Channels",
    "ClassChannels",
    "Client",
    "Comparison",
    "Event",
    "Explanation",
    "ExtremalError",
    "File",
    "InvalidRequest",
    "JobFailed",
    "JobRemoved",
    "NotAllowed",
    "NotFound",
    "Outcome",
    "Result",
    "ServiceError",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "WebhookInvalid",
    "WebhookMessage",
    "__version__",
    "beside",
    "verify_webhook",
]
