// Keeps what the address has behind its "#", which no server sees, until the login is over.
(() => {
  const link = document.getElementById("login");
  const fragment = encodeURIComponent(location.hash);
  if (fragment !== "" && fragment.length <= 3000) {
    document.cookie = link.dataset.cookie + "=" + fragment + link.dataset.attributes;
  }
  location.replace(link.href);
})();
