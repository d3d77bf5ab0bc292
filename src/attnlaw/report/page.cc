#include "attnlaw/report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/base/json_text.h"
#include "attnlaw/report/assets.h"
#include "attnlaw/report/escape.h"

namespace attnlaw::report {
namespace {

/// The policy lets the page fetch nothing. Vega runs through its interpreter, so that 'unsafe-eval' is not needed.
constexpr const char* content_security_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'";

std::string head(const Page& page) {
  return fmt::format(
      "<head>\n"
      "<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"generator\" content=\"attnlaw {}\">\n"
      "<title>{}</title>\n"
      "<script>\n{}</script>\n"
      "<style>\n{}</style>\n"
      "<noscript><style>.save {{ display: none }}</style></noscript>\n"
      "</head>\n",
      content_security_policy, escape_html(page.version), escape_html(page.title), recorder_script(), style_sheet());
}

/// A table of a chart shows so many rows; the file of its numbers has all of them.
constexpr std::size_t most_rows_of_chart = 400;

/// Returns the escaped text with what stands in backticks as code.
std::string with_code(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t open = text.find('`'), close = open == text.npos ? open : text.find('`', open + 1);
    if (close == text.npos) break;
    result += escape_html(text.substr(0, open));
    result += fmt::format("<code>{}</code>", escape_html(text.substr(open + 1, close - open - 1)));
    text.remove_prefix(close + 1);
  }
  return result + escape_html(text);
}

/// Returns the paragraphs of a plain text, which are separated by empty lines.
std::string paragraphs(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    const std::string_view paragraph = text.substr(0, end);
    if (paragraph.find_first_not_of(" \n") != std::string_view::npos) {
      result += fmt::format("<p>{}</p>\n", with_code(paragraph));
    }
    text.remove_prefix(std::min(text.size(), end + 2));
  }
  return result;
}

/// Returns a table that scrolls by itself where the page is narrower, also by keyboard.
std::string scrolling(const Table& table, const std::string& label) {
  return fmt::format("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\n{}</div>\n",
                     escape_html(label), html(table));
}

/// Returns the numbers of a chart: a table, of its first rows alone if there are many, and the file to save. The
/// numbers of an image are in its specification already.
std::string numbers(const Chart& chart, std::size_t number) {
  Table shown = chart.data;
  std::string text;
  if (shown.rows.size() > most_rows_of_chart) {
    text = fmt::format("<p>The first {} of {} rows; the file has all of them.</p>\n", most_rows_of_chart,
                       shown.rows.size());
    shown.rows.resize(most_rows_of_chart);
  }
  if (!chart.spec.value("usermeta", nlohmann::json::object()).contains("grid"))
    text += fmt::format("<script type=\"text/csv\" id=\"csv-{}\">{}</script>\n", number,
                        escape_json_in_script(base::json_text(csv(chart.data))));
  // The title of the chart stands above it.
  shown.title.clear();
  return fmt::format(
      "<details><summary>The numbers of this chart</summary>\n"
      "<p><button type=\"button\" class=\"save\" data-csv=\"{}\">Save as CSV</button></p>\n{}{}</details>\n",
      number, text, scrolling(shown, "The numbers of the chart: " + chart.description));
}

/// Returns the specification without a title that the heading above says already; its notes stay.
nlohmann::json under_heading(nlohmann::json spec, const std::string& heading) {
  if (spec.contains("title") && spec["title"].value("text", "") == heading) spec["title"]["text"] = "";
  return spec;
}

/// Says what there is of a chart where there are no scripts.
std::string without_scripts(const Chart& chart) {
  const std::size_t rows = chart.data.rows.size();
  return fmt::format(
      "The chart needs JavaScript; the table below has {} of its numbers.",
      rows > most_rows_of_chart ? fmt::format("the first {} of {} rows", most_rows_of_chart, rows) : "all");
}

std::string figure(const Chart& chart, const std::string& heading, std::size_t number) {
  return fmt::format(
      "<figure>\n"
      "<div class=\"chart\" data-spec=\"spec-{0}\" role=\"group\" aria-label=\"{1}\"></div>\n"
      "<noscript><p>{4}</p></noscript>\n"
      "<script type=\"application/json\" id=\"spec-{0}\">{2}</script>\n"
      "<figcaption>{1}</figcaption>\n"
      "<p class=\"readout\" aria-live=\"polite\"></p>\n{3}"
      "</figure>\n",
      number, escape_html(chart.description),
      escape_json_in_script(base::json_text(under_heading(chart.spec, heading))), numbers(chart, number),
      without_scripts(chart));
}

std::string panel(const SpectrumPanel& panel, std::size_t gallery, std::size_t number) {
  return fmt::format(
      "<details class=\"panel\"><summary>{0}</summary>\n"
      "<div class=\"chart\" data-spec=\"gallery-{1}\" data-values=\"values-{1}-{2}\" role=\"group\" "
      "aria-label=\"{0}\"></div>\n"
      "<script type=\"application/json\" id=\"values-{1}-{2}\">{3}</script>\n{4}</details>\n",
      escape_html(panel.title), gallery, number, escape_json_in_script(base::json_text(panel_values(panel))),
      panel.table.columns.empty() ? "" : html(panel.table));
}

std::string gallery(const SpectrumGallery& gallery, std::size_t number) {
  std::string result = fmt::format(
      "<div class=\"gallery\">\n<p class=\"caption\">{}</p>\n"
      "<noscript><p>The charts need JavaScript; attnlaw prints their numbers with --format csv.</p></noscript>\n"
      "<script type=\"application/json\" id=\"gallery-{}\">{}</script>\n",
      escape_html(gallery.description), number, escape_json_in_script(base::json_text(gallery_spec(gallery))));
  for (std::size_t i = 0; i < gallery.panels.size(); ++i) result += panel(gallery.panels[i], number, i + 1);
  return result + "</div>\n";
}

std::string section(const Section& section, std::size_t number) {
  std::string result = fmt::format("<section aria-labelledby=\"section-{0}\">\n<h2 id=\"section-{0}\">{1}</h2>\n{2}",
                                   number, escape_html(section.heading), paragraphs(section.text));
  if (section.chart) result += figure(*section.chart, section.heading, number);
  if (section.table)
    result += scrolling(*section.table, section.table->title.empty() ? section.heading : section.table->title);
  if (section.gallery) result += gallery(*section.gallery, number);
  return result + "</section>\n";
}

/// Returns what the page is of, folded, with a button to save it.
std::string input(const Page& page) {
  if (page.input.empty()) return "";
  const std::string hash =
      page.target_hash.empty() ? "" : fmt::format("<p>Target: <code>{}</code></p>\n", escape_html(page.target_hash));
  return fmt::format(
      "<details class=\"input\"><summary>{0}</summary>\n<pre>{1}</pre>\n{2}"
      "<p><button type=\"button\" class=\"save\" data-input=\"{0}\">Save as {0}</button></p>\n</details>\n",
      escape_html(page.input_name), escape_html(page.input), hash);
}

std::string footer(const Page& page) {
  return fmt::format("<footer>\n<p><code>{}</code></p>\n{}<p>attnlaw {} · {}</p>\n</footer>\n",
                     escape_html(page.command), input(page), escape_html(page.version), escape_html(page.date));
}

}  // namespace

std::string html(const Page& page) {
  if (!page.whole.empty()) return page.whole;
  std::string result = "<!DOCTYPE html>\n<html lang=\"en\">\n" + head(page);
  result += fmt::format("<body>\n<main>\n<header>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n</header>\n",
                        escape_html(page.title), with_code(page.lead));
  bool has_chart = false;
  for (std::size_t i = 0; i < page.sections.size(); ++i) {
    result += section(page.sections[i], i + 1);
    has_chart = has_chart || page.sections[i].chart.has_value() || page.sections[i].gallery.has_value();
  }
  result += footer(page) + "</main>\n";
  // A page of tables alone does without the library of charts.
  if (has_chart && vega_bundle().empty())
    throw std::runtime_error(
        "this build of attnlaw writes no pages with charts: it was made without scripts/setup report");
  if (has_chart) result += fmt::format("<script>\n{}</script>\n", vega_bundle());
  result += fmt::format("<script>\n{}</script>\n", charts_script());
  return result + "</body>\n</html>\n";
}

}  // namespace attnlaw::report
