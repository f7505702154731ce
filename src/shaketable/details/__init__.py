"""What the structural probe inserts into an image, and what of it survives.

``make_details`` draws symbols, words, a graded heart or a lesion-like blob and finds them a place
inside the object; ``contrast_recovery``, ``template_correlation`` and ``leakage`` measure what a
reconstruction shows of them.
"""

from shaketable.details.lesion import lesion
from shaketable.details.lettering import lettering
from shaketable.details.measures import contrast_recovery, leakage, template_correlation
from shaketable.details.objects import object_mask
from shaketable.details.placing import Detail, composite, make_details, place
from shaketable.details.suits import club, diamond, graded_heart, heart, spade
from shaketable.details.templates import DETAIL_NAMES, SMALLEST_SIZE, require_names, template

__all__ = [
    "DETAIL_NAMES",
    "SMALLEST_SIZE",
    "Detail",
    "club",
    "composite",
    "contrast_recovery",
    "diamond",
    "graded_heart",
    "heart",
    "leakage",
    "lesion",
    "lettering",
    "make_details",
    "object_mask",
    "place",
    "require_names",
    "spade",
    "template",
    "template_correlation",
]
