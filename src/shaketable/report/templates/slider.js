"use strict";
// Two pictures side by side become one picture with a movable border.
for (const compare of document.querySelectorAll("[data-compare]")) {
  const stage = compare.querySelector(".stage");
  const label = compare.querySelector("label");
  const range = compare.querySelector("input");
  const show = () => compare.style.setProperty("--split", range.value + "%");
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    range.value = String(Math.round((100 * (event.clientX - box.left)) / box.width));
    show();
  };
  range.addEventListener("input", show);
  stage.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    follow(event);
    range.focus({ preventScroll: true });
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) follow(event);
  });
  label.hidden = false;
  compare.classList.add("live");
  show();
}
