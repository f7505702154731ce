"""Reading images: NumPy, NIfTI, DICOM and PNG files, and folders of them; random ellipses."""

from shaketable.files import array_sha256, file_sha256
from shaketable.io.batch import stacked
from shaketable.io.images import LoadedImage, load_images, load_source
from shaketable.io.phantoms import ellipse_phantoms
from shaketable.io.provenance import Provenance, provenance_of
from shaketable.io.reader import Reader, ReadSettings
from shaketable.io.resize import resize_image
from shaketable.io.source import ImageSource
from shaketable.io.stack import SlicePosition, Stack, StackSlice, one_file

__all__ = [
    "ImageSource",
    "LoadedImage",
    "Provenance",
    "ReadSettings",
    "Reader",
    "SlicePosition",
    "Stack",
    "StackSlice",
    "array_sha256",
    "ellipse_phantoms",
    "file_sha256",
    "load_images",
    "load_source",
    "one_file",
    "provenance_of",
    "resize_image",
    "stacked",
]
