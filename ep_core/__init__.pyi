from .errors import ImageTooLarge, InvalidInput, ModelUnavailable, UnknownName, UnreadableImage
from .explanation import Explanation
from .image import read_image
from .models import Classifier, Preprocessing, load_model
from .progress import Progress
from .report import CurvePoint, ExtremalReport
from .spec import ExtremalSpec
from .sweep import explain, explain_batch

__version__: str

__all__ = [
    "Classifier",
    "CurvePoint",
    "Explanation",
    "ExtremalReport",
    "ExtremalSpec",
    "ImageTooLarge",
    "InvalidInput",
    "ModelUnavailable",
    "Preprocessing",
    "Progress",
    "UnknownName",
    "UnreadableImage",
    "explain",
    "explain_batch",
    "load_model",
    "read_image",
]
