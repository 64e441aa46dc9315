from .channels.attribution import explain_channels
from .channels.class_channels import ClassExplanation, class_channels
from .channels.explanation import ChannelExplanation
from .channels.report import ChannelsReport, ClassChannelsReport
from .compare.comparison import Comparison
from .compare.report import CompareReport
from .compare.run import compare
from .errors import ImageTooLarge, InvalidInput, ModelUnavailable, UnknownName, UnreadableImage
from .explanation import Explanation
from .image import read_image
from .inversion import invert, invert_channels
from .models import Classifier, Preprocessing, load_model
from .models.split import Split, split
from .progress import Progress
from .report import CurvePoint, ExtremalReport
from .spec import ChannelsSpec, ClassChannelsSpec, CompareSpec, ExtremalSpec
from .sweep import explain, explain_batch

__version__: str

__all__ = [
    "ChannelExplanation",
    "ChannelsReport",
    "ChannelsSpec",
    "ClassChannelsReport",
    "ClassChannelsSpec",
    "ClassExplanation",
    "Classifier",
    "CompareReport",
    "CompareSpec",
    "Comparison",
    "CurvePoint",
    "Explanation",
    "ExtremalReport",
    "ExtremalSpec",
    "ImageTooLarge",
    "InvalidInput",
    "ModelUnavailable",
    "Preprocessing",
    "Progress",
    "Split",
    "UnknownName",
    "UnreadableImage",
    "class_channels",
    "compare",
    "explain",
    "explain_batch",
    "explain_channels",
    "invert",
    "invert_channels",
    "load_model",
    "read_image",
    "split",
]
