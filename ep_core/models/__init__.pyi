from .classifier import Classifier as Classifier
from .frame import Frame as Frame
from .preprocessing import Preprocessing as Preprocessing
from .registry import load_model as load_model
from .sources.catalogue import list_models as list_models
