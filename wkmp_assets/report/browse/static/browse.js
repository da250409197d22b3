"use strict";
// Each passage plays from its start to its end, though its file may go on, and only one plays at a time.
for (const audio of document.querySelectorAll("audio[data-start]")) {
  const section = audio.closest("section");
  const start = Number(audio.dataset.start);
  const end = Number(audio.dataset.end);
  const jumps = section.querySelector(".jumps");
  const mark = section.querySelector(".line .at");
  const isOutside = () => audio.currentTime < start - 0.1 || audio.currentTime >= end;
  audio.addEventListener("play", () => {
    document.querySelectorAll("audio").forEach((other) => other !== audio && other.pause());
    if (audio.readyState > 0 && isOutside()) audio.currentTime = start;
  });
  audio.addEventListener("timeupdate", () => {
    if (audio.currentTime >= end) {
      audio.pause();
      audio.currentTime = start;
    }
    mark.setAttribute("x", String(((audio.currentTime - start) / (end - start)) * 1000 - 2));
  });
  audio.addEventListener("error", () => {
    section.querySelector("[role=status]").hidden = false;
  });
  jumps.hidden = false;
  for (const button of jumps.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const jump = () => { audio.currentTime = Number(button.dataset.to); };
      if (audio.readyState > 0) jump();
      else audio.addEventListener("loadedmetadata", jump, { once: true });
      audio.play().catch(() => {}); // the error event has said why
    });
  }
}
