#pragma once
/// Looks at a page with headless Chromium, as a reader's browser would show it, without a network.

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/base/file.h"
#include "scratch.h"

extern char** environ;

namespace attnlaw::test {

/// The report of a browser on a page.
struct PageReport {
  /// Charts that were drawn.
  int charts = 0;
  /// Drawn shapes by "chart/layer": "spec-1/experiment", "spec-2/histogram", ...
  std::map<std::string, int> marks;
  /// Errors on the console, uncaught exceptions and rejections, breaches of the content security policy.
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  /// Files that the page asked for beside itself.
  std::vector<std::string> requests;
  /// The kind that each link of the export menus leads to once pressed: "blob" (SVG), "data:image/png"; "" if to
  /// nothing.
  std::vector<std::string> exports;
  /// The texts of the files that the buttons of the page save, by name.
  std::map<std::string, std::string> saved;
  /// What stands under the maps that are images, with the pointer over their middle.
  std::vector<std::string> readouts;
  /// Of the first chart with a legend of series: which share of its axis x is left after zooming in, and how many
  /// shapes are faint after its first series was singled out.
  double zoomed = 1;
  int faint = 0;
  /// Where curves lead to spectra: what is chosen, how many shapes of other ridges are faint, the x that is marked in
  /// curves, and what stands under the charts; after the first spectrum is chosen by its name, as it is printed, after
  /// the last point but one of the last line is clicked at, and after another click.
  struct Link {
    std::string chosen;
    int faint = 0;
    int marked = 0;
    std::vector<std::string> texts;
  };
  std::vector<Link> links;
  /// Width of the content beyond the window, in pixels: 0 if nothing forces the page to scroll sideways.
  int overflow = 0;
  /// Charts whose export menu hides a text: of a title, a legend or an axis.
  int covered = 0;
};

struct Window {
  int width = 1100;
  int height = 1400;
  bool dark = false;
};

namespace detail {

/// Longer than a page takes on a busy machine; a browser that hangs is killed.
constexpr const char* browser_timeout_seconds = "120";

/// Runs Chromium and returns its standard output. Throws std::runtime_error if it is not installed or fails.
inline std::string run_chromium(const std::vector<std::string>& options, const std::string& path) {
  const Scratch directory;
  const std::string output = directory.path() / "stdout";
  const std::string log = directory.path() / "stderr";
  std::vector<std::string> arguments = {"timeout", "--kill-after=5", browser_timeout_seconds, "chromium", "--headless",
                                        // The tests may run as root in a container.
                                        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
                                        "--no-first-run", "--disable-background-networking",
                                        "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                                        "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000",
                                        "--user-data-dir=" + (directory.path() / "profile").string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back("file://" + std::filesystem::absolute(path).string());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, "timeout", &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) throw std::runtime_error("cannot run timeout(1) of coreutils");
  int status = 0;
  waitpid(child, &status, 0);
  constexpr int command_not_found = 127;
  if (WIFEXITED(status) && WEXITSTATUS(status) == command_not_found) {
    throw std::runtime_error("chromium is not installed: run scripts/setup");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(fmt::format("chromium failed on {}:\n{}", path, base::read_text(log)));
  }
  return base::read_text(output);
}

inline std::vector<std::string> window_options(const Window& window) {
  return {fmt::format("--window-size={},{}", window.width, window.height),
          fmt::format("--blink-settings=preferredColorScheme={}", window.dark ? 0 : 1)};
}

/// Puts the page into a directory, in a frame of the wanted size: Chromium's windows are never narrower than 500
/// pixels. The frame keeps the message that the page sends in <pre id="inspection">. Returns the path of the frame.
inline std::string write_framed(const Scratch& directory, std::string_view page, const Window& window) {
  base::write_atomically(directory.path() / "page.html", page);
  const std::string frame = directory.path() / "frame.html";
  base::write_atomically(frame, fmt::format(R"(<!DOCTYPE html>
<meta name="color-scheme" content="light dark">
<style>body {{ margin: 0 }} iframe {{ display: block; border: 0; width: {}px; height: {}px }}</style>
<script>
addEventListener("message", (event) => {{
  const result = document.createElement("pre");
  result.id = "inspection";
  result.textContent = event.data;
  document.body.append(result);
}});
</script>
<iframe src="page.html"></iframe>
)",
                                            window.width, window.height));
  return frame;
}

/// Runs in the page once its charts are drawn, and sends what it finds to the frame around it.
constexpr std::string_view inspection_script = R"(<script>
(async () => {
  const root = document.documentElement;
  const pause = () => new Promise((done) => setTimeout(done, 50));
  while (root.dataset.ready === undefined) await pause();
  const report = { charts: document.querySelectorAll(".chart svg.marks").length, marks: {}, exports: [] };
  for (const chart of document.querySelectorAll(".chart")) {
    for (const group of chart.querySelectorAll("g.role-mark")) {
      const layer = [...group.classList].find((name) => name.endsWith("_marks"));
      if (layer === undefined) continue;
      const key = chart.dataset.spec + "/" + layer.replace("layer_", "").replace(/_marks$/, "");
      const shapes = [...group.querySelectorAll("path, rect, line, text")].filter((shape) => shape.closest("g.role-mark") === group);
      report.marks[key] = (report.marks[key] || 0) + shapes.length;
    }
  }
  for (const link of document.querySelectorAll(".vega-actions a[download]")) {
    link.dispatchEvent(new MouseEvent("mousedown"));
    for (let i = 0; i < 100 && link.getAttribute("href") === "#"; ++i) await pause();
    report.exports.push(link.href.match(/^(blob|data:[a-z/+]+)?/)[0]);
  }
  // Reading a blob back would take time that the virtual clock of the test does not wait for.
  let [text, name] = [];
  window.Blob = class extends Blob { constructor(parts, options) { super(parts, options); text = parts.join(""); } };
  HTMLAnchorElement.prototype.click = function () { name = this.download; };
  report.saved = {};
  for (const button of document.querySelectorAll("button.save")) {
    button.click();
    report.saved[name] = text;
  }
  report.readouts = [];
  for (const line of document.querySelectorAll(".readout.used")) {
    const svg = line.closest("figure").querySelector(".chart svg");
    const box = svg.getBoundingClientRect();
    svg.dispatchEvent(new MouseEvent("mousemove", { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true }));
    await pause();
    report.readouts.push(line.textContent);
  }
  [report.zoomed, report.faint] = [1, 0];
  const charted = [...document.querySelectorAll(".chart")].find((chart) => {
    try {
      return chart.view.signal("shown");
    } catch {
      return false;
    }
  });
  if (charted) {
    const extent = () => charted.view.scale("x").domain().reduce((first, last) => last - first);
    const whole = extent();
    const plot = charted.querySelector("svg path.background");
    const box = plot.getBoundingClientRect();
    const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true };
    plot.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: -120 }));
    await charted.view.runAsync();
    if (extent() !== whole) throw new Error("a wheel without Shift scrolls the page");
    plot.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: -120, shiftKey: true }));
    await charted.view.runAsync();
    report.zoomed = extent() / whole;
    for (const kind of ["mousedown", "mouseup", "click"])
      charted.querySelector(".role-legend-label text").dispatchEvent(new MouseEvent(kind, { bubbles: true }));
    await charted.view.runAsync();
    report.faint = charted.querySelectorAll('.role-mark [opacity="0.08"]').length;
  }
  report.links = [];
  const choice = document.querySelector(".link select");
  if (choice) {
    const note = async () => {
      await pause();
      report.links.push({
        chosen: choice.selectedOptions[0].textContent,
        faint: document.querySelectorAll('svg:has([class*="ridges"]) .role-mark [opacity="0.08"]').length,
        marked: document.querySelectorAll('[class*="chosen_marks"] line[opacity="1"]').length,
        texts: [...document.querySelectorAll(".readout")].map((line) => line.textContent),
      });
    };
    choice.value = 0;
    choice.dispatchEvent(new Event("change"));
    await note();
    dispatchEvent(new Event("beforeprint"));
    await note();
    dispatchEvent(new Event("afterprint"));
    await pause();
    const point = [...document.querySelectorAll('[class*="theory_hover_marks"] path')].at(-2);
    // Curves along words have no line of points that could be clicked at.
    const click = async () => {
      if (!point) return;
      const box = point.getBoundingClientRect();
      for (const kind of ["pointerdown", "click"])
        point.dispatchEvent(new MouseEvent(kind, { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true }));
      await note();
    };
    await click();
    await click();
  }
  report.errors = JSON.parse(root.dataset.errors);
  report.warnings = JSON.parse(root.dataset.warnings);
  report.requests = performance.getEntriesByType("resource").map((entry) => entry.name);
  report.overflow = root.scrollWidth - root.clientWidth;
  const meet = (a, b) => a.width > 0 && b.width > 0 && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  report.covered = [...document.querySelectorAll(".chart")].filter((chart) => {
    const menu = chart.querySelector("summary")?.getBoundingClientRect();
    return menu && [...chart.querySelectorAll("svg text")].some((text) => meet(menu, text.getBoundingClientRect()));
  }).length;
  parent.postMessage(JSON.stringify(report), "*");
})();
</script>)";

inline std::string unescape(std::string text) {
  for (const auto& [reference, character] :
       {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", "\u00a0"}, {"&amp;", "&"}}) {
    for (std::size_t at = 0; (at = text.find(reference, at)) != std::string::npos;
         at += std::string_view(character).size()) {
      text.replace(at, std::string_view(reference).size(), character);
    }
  }
  return text;
}

}  // namespace detail

/// Opens a report in Chromium and says what is on it. Throws std::runtime_error if Chromium is not installed, or if the
/// page did not finish.
inline PageReport inspect_page(const std::string& path, const Window& window = {}) {
  const Scratch directory;
  std::string page = base::read_text(path);
  const std::size_t end = page.rfind("</body>");
  if (end == std::string::npos) throw std::runtime_error(path + " has no </body>");
  page.insert(end, detail::inspection_script);
  const std::string frame = detail::write_framed(directory, page, window);
  std::vector<std::string> options = detail::window_options(window);
  options.emplace_back("--dump-dom");
  const std::string dom = detail::run_chromium(options, frame);
  constexpr std::string_view begin_tag = "<pre id=\"inspection\">";
  const std::size_t begin = dom.rfind(begin_tag);
  if (begin == std::string::npos) {
    throw std::runtime_error(path + ": the charts were not drawn in time");
  }
  const std::size_t from = begin + begin_tag.size();
  const auto found = nlohmann::json::parse(detail::unescape(dom.substr(from, dom.find("</pre>", from) - from)));
  PageReport report;
  found.at("charts").get_to(report.charts);
  found.at("marks").get_to(report.marks);
  found.at("errors").get_to(report.errors);
  found.at("warnings").get_to(report.warnings);
  found.at("requests").get_to(report.requests);
  found.at("exports").get_to(report.exports);
  found.at("overflow").get_to(report.overflow);
  found.at("covered").get_to(report.covered);
  found.at("saved").get_to(report.saved);
  found.at("readouts").get_to(report.readouts);
  found.at("zoomed").get_to(report.zoomed);
  found.at("faint").get_to(report.faint);
  for (const nlohmann::json& link : found.at("links"))
    report.links.push_back({link.at("chosen"), link.at("faint"), link.at("marked"), link.at("texts")});
  return report;
}

/// A picture of the top of a page, as large as the window.
inline void screenshot(const std::string& path, const std::string& png, const Window& window = {}) {
  std::vector<std::string> options = detail::window_options(window);
  options.push_back("--screenshot=" + std::filesystem::absolute(png).string());
  const Scratch directory;
  detail::run_chromium(options, detail::write_framed(directory, base::read_text(path), window));
  if (!std::filesystem::exists(png)) throw std::runtime_error("chromium wrote no picture of " + path);
}

}  // namespace attnlaw::test
