from .errors import ImageTooLarge, InvalidInput, ModelUnavailable, UnknownName, UnreadableImage
from .image import read_image
from .models import Classifier, Preprocessing, load_model
from .report import CurvePoint, ExtremalReport
from .spec import ExtremalSpec
from .sweep import Explanation, Progress, explain

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
    "load_model",
    "read_image",
]
