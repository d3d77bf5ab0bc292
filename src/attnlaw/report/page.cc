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
      "</head>\n",
      content_security_policy, escape_html(page.version), escape_html(page.title), recorder_script(), style_sheet());
}

/// Returns the paragraphs of a plain text, which are separated by empty lines.
std::string paragraphs(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    const std::string_view paragraph = text.substr(0, end);
    if (paragraph.find_first_not_of(" \n") != std::string_view::npos) {
      result += fmt::format("<p>{}</p>\n", escape_html(paragraph));
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

std::string figure(const Chart& chart, std::size_t number) {
  return fmt::format(
      "<figure>\n"
      "<div class=\"chart\" data-spec=\"spec-{0}\" role=\"group\" aria-label=\"{1}\"></div>\n"
      "<noscript><p>The chart needs JavaScript; the table below has its numbers.</p></noscript>\n"
      "<script type=\"application/json\" id=\"spec-{0}\">{2}</script>\n"
      "<figcaption>{1}</figcaption>\n"
      "<details><summary>The numbers of this chart</summary>\n{3}</details>\n"
      "</figure>\n",
      number, escape_html(chart.description), escape_json_in_script(base::json_text(chart.spec)),
      scrolling(chart.data, "The numbers of the chart: " + chart.description));
}

std::string panel(const SpectrumPanel& panel, std::size_t gallery, std::size_t number) {
  return fmt::format(
      "<details class=\"panel\"><summary>{0}</summary>\n"
      "<div class=\"chart\" data-spec=\"gallery-{1}\" data-rows=\"rows-{1}-{2}\" role=\"group\" "
      "aria-label=\"{0}\"></div>\n"
      "<script type=\"application/json\" id=\"rows-{1}-{2}\">{3}</script>\n{4}</details>\n",
      escape_html(panel.title), gallery, number, escape_json_in_script(base::json_text(panel_rows(panel))),
      panel.table.columns.empty() ? "" : html(panel.table));
}

std::string gallery(const SpectrumGallery& gallery, std::size_t number) {
  std::string result = fmt::format(
      "<div class=\"gallery\">\n<p class=\"caption\">{}</p>\n"
      "<script type=\"application/json\" id=\"gallery-{}\">{}</script>\n",
      escape_html(gallery.description), number, escape_json_in_script(base::json_text(gallery_spec(gallery))));
  for (std::size_t i = 0; i < gallery.panels.size(); ++i) result += panel(gallery.panels[i], number, i + 1);
  return result + "</div>\n";
}

std::string section(const Section& section, std::size_t number) {
  std::string result = fmt::format("<section aria-labelledby=\"section-{0}\">\n<h2 id=\"section-{0}\">{1}</h2>\n{2}",
                                   number, escape_html(section.heading), paragraphs(section.text));
  if (section.chart) result += figure(*section.chart, number);
  if (section.table)
    result += scrolling(*section.table, section.table->title.empty() ? section.heading : section.table->title);
  if (section.gallery) result += gallery(*section.gallery, number);
  return result + "</section>\n";
}

std::string footer(const Page& page) {
  return fmt::format("<footer>\n<p><code>{}</code></p>\n<p>attnlaw {} · {}</p>\n</footer>\n", escape_html(page.command),
                     escape_html(page.version), escape_html(page.date));
}

}  // namespace

std::string html(const Page& page) {
  if (!page.whole.empty()) return page.whole;
  std::string result = "<!DOCTYPE html>\n<html lang=\"en\">\n" + head(page);
  result += fmt::format("<body>\n<main>\n<header>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n</header>\n",
                        escape_html(page.title), escape_html(page.lead));
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
