// Runs before the page is drawn, so that a chosen theme never flashes.
(() => {
  const root = document.documentElement;
  const KEY = "sluice.theme";
  const chosen = localStorage.getItem(KEY);
  if (chosen) root.dataset.theme = chosen;
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const isDark = getComputedStyle(root).colorScheme === "dark" ||
        (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
      root.dataset.theme = isDark ? "light" : "dark";
      localStorage.setItem(KEY, root.dataset.theme);
    });
  });
})();
