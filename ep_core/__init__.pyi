from .channels.attribution import explain_channels
from .channels.class_channels import ClassExplanation, class_channels
from .channels.explanation import ChannelExplanation
from .channels.inversion import invert, invert_channels
from .compare.comparison import Comparison
from .compare.run import compare
from .engine import explain, explain_batch
from .errors import ImageTooLarge, InvalidInput, ModelUnavailable, UnknownName, UnreadableImage
from .extremal.explanation import Explanation
from .models import Classifier, Preprocessing, load_model
from .models.split import Split, split
from .pictures.beside import beside
from .pictures.decoding import read_image
from .resident import Canceled, Handle, ResidentEngine
from .schemas.progress import Progress
from .schemas.reports.channels import ChannelsReport, ClassChannelsReport
from .schemas.reports.comparison import CompareReport
from .schemas.reports.extremal import CurvePoint, ExtremalReport
from .schemas.specs import ChannelsSpec, ClassChannelsSpec, CompareSpec, ExtremalSpec

__version__: str

__all__ = [
    "Canceled",
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
    "Handle",
    "ImageTooLarge",
    "InvalidInput",
    "ModelUnavailable",
    "Preprocessing",
    "Progress",
    "ResidentEngine",
    "Split",
    "UnknownName",
    "UnreadableImage",
    "beside",
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
