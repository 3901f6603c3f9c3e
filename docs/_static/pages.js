// The sidebar scrolls to the entry for the current page.
const entry = document.querySelector(".sidebar-tree .current-page");
const sidebar = document.querySelector(".sidebar-scroll");
if (entry && sidebar) {
  const [place, seen] = [entry.getBoundingClientRect(), sidebar.getBoundingClientRect()];
  if (place.bottom > seen.bottom)
    sidebar.scrollTo({ top: place.top - seen.top - seen.height / 2, behavior: "instant" });
}

// The search finds numbers, such as HTTP statuses. Pages whose title contains a word from the query
// come first; for a number, pages whose title contains "error". Attributes and pages about the
// project come last.
if (typeof Search !== "undefined") {
  const parse = Search._parseQuery;
  let stems = [];
  const stem = (words) => (words.toLowerCase().match(/\w+/g) ?? []).map((word) => new Stemmer().stemWord(word));
  Search._parseQuery = (query) => {
    const parsed = parse(query);
    const [, terms, , highlighted] = parsed;
    const numbers = query.match(/(?<!\S)\d+(?!\S)/g) ?? [];
    for (const number of numbers) {
      terms.add(number);
      highlighted.add(number);
    }
    stems = stem(numbers.length ? `${query} error` : query);
    return parsed;
  };
  Scorer.score = ([page, title, , description, score]) => {
    const isNamed = stem(title).some((word) => stems.includes(word));
    const isMember = /^Python (attribute|property)/.test(description ?? "");
    return score + (isNamed ? 5 : 0) - (isMember ? 15 : 0) - (page.startsWith("project/") ? 3 : 0);
  };
}
