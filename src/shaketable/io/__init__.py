"""Reading images: NumPy, NIfTI, DICOM and PNG files, and folders of them; random ellipses."""

from shaketable.files import array_sha256
from shaketable.io.images import LoadedImage, load_images, load_source
from shaketable.io.phantoms import ellipse_phantoms
from shaketable.io.resize import resize_image
from shaketable.io.source import ImageSource

__all__ = [
    "ImageSource",
    "LoadedImage",
    "array_sha256",
    "ellipse_phantoms",
    "load_images",
    "load_source",
    "resize_image",
]
