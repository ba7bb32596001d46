"use strict";
// Arrow keys, Page keys, Space, Home and End go from slide to slide; typing in a field or in open notes is left alone.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  let current = 0;
  const go = (place) => {
    current = Math.max(0, Math.min(slides.length - 1, place));
    // At once: on a smooth way there, a slide passed by would be taken for the one being read.
    slides[current].scrollIntoView({ block: "start", behavior: "instant" });
    slides[current].focus({ preventScroll: true });
    history.replaceState(null, "", `#${slides[current].id}`);
  };
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) current = slides.indexOf(entry.target);
    },
    { threshold: 0.6 },
  );
  slides.forEach((slide) => seen.observe(slide));
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("a, summary") && (event.key === " " || event.key === "Enter")) return;
    const step = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": event.shiftKey ? -1 : 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 }[event.key];
    if (step) { event.preventDefault(); go(current + step); }
    if (event.key === "Home") { event.preventDefault(); go(0); }
    if (event.key === "End") { event.preventDefault(); go(slides.length - 1); }
  });
  const named = slides.findIndex((slide) => `#${slide.id}` === location.hash);
  if (named > 0) current = named;
})();
