// Sets light or dark before the first paint. A file of its own, because the page's policy allows no inline script.
(() => {
  let choice = 'auto';
  try {
    choice = localStorage.getItem('pilvi-color-scheme') ?? 'auto';
  } catch {
    // Storage is switched off: follow the system.
  }
  const dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.mantineColorScheme = dark ? 'dark' : 'light';
})();
