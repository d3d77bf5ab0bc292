#include "attnlaw/report/page.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "attnlaw/report/assets.h"
#include "attnlaw/report/escape.h"
#include "report/browser.h"
#include "report/samples.h"

namespace attnlaw::report {
namespace {

Page sample_page() {
  Table table{.title = "Agreement at d = 60",
              .columns = {{.name = "α", .notation = Notation::fixed, .precision = 2},
                          {.name = "theory"},
                          {.name = "experiment"},
                          {.name = "difference", .unit = "%", .notation = Notation::fixed, .precision = 1},
                          {.name = "time", .unit = "s"}}};
  for (int i = 1; i <= 6; ++i) table.rows.push_back({0.1 * i, 0.5 / i, 0.51 / i, 2.0, 0.25 * i});
  return {.title = "Learning curve of softmax attention",
          .lead =
              "A softmax attention layer of two tokens learns its query-key map from n = α d² sequences. The lines are "
              "the exact "
              "high-dimensional theory, the points the same model trained at d = 60.",
          .sections = {{.heading = "Errors against the number of samples",
                        .text = "Each point is the mean of four instances.\n\nThe estimation error falls below the "
                                "test error after the "
                                "recovery threshold.",
                        .chart = errors_chart(test::learning_curves(40, 8))},
                       {.heading = "Spectrum at α = 0.3",
                        .text = "Weight decay sets a part of the eigenvalues to zero exactly.",
                        .chart = spectrum_chart(test::semicircle_spectrum(200, 400)),
                        .table = table}},
          .command = "attnlaw demo --output report.html",
          .version = "0.1.0",
          .date = "2026-01-31 12:00"};
}

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

class PageInBrowser : public testing::Test {
 protected:
  std::string write(const Page& page) const {
    const std::string path = directory_.path() / "report.html";
    base::write_atomically(path, html(page));
    return path;
  }

  /// Drawn, complete and quiet.
  static void expect_faultless(const test::PageReport& report, int charts) {
    EXPECT_EQ(report.charts, charts);
    EXPECT_EQ(report.errors, std::vector<std::string>{});
    EXPECT_EQ(report.warnings, std::vector<std::string>{});
    EXPECT_EQ(report.requests, std::vector<std::string>{});
    EXPECT_EQ(report.overflow, 0);
    EXPECT_EQ(report.covered, 0);
  }

 private:
  test::Scratch directory_;
};

TEST(Escape, LeavesNoWayOutOfText) {
  EXPECT_EQ(escape_html("<a href=\"x\" title='y'>&amp;"), "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;");
}

TEST(Escape, AttributesKeepTheirText) {
  EXPECT_EQ(escape_attribute("<p title=\"x\">\\xB8 & 'y'"), "<p title=&quot;x&quot;>\\xB8 &amp; 'y'");
}

TEST(Escape, JsonInScriptReadsBackTheSame) {
  const nlohmann::json value = "</script><!-- <script> \u2028 é";
  const std::string escaped = escape_json_in_script(value.dump());
  EXPECT_EQ(escaped.find('<'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(escaped), value);
}

TEST(Assets, DoNotEndTheirOwnElement) {
  for (const std::string_view script : {vega_bundle(), recorder_script(), charts_script()}) {
    EXPECT_EQ(script.find("</script"), std::string_view::npos);
    EXPECT_EQ(script.find("<!--"), std::string_view::npos);
  }
  EXPECT_EQ(style_sheet().find("</style"), std::string_view::npos);
}

TEST(Assets, CarryTheirLicencesAndNoSourceMap) {
  EXPECT_NE(vega_bundle().find("Redistribution and use in source and binary forms"), std::string_view::npos);
  EXPECT_NE(vega_bundle().find("Mike Bostock"), std::string_view::npos);
  EXPECT_EQ(vega_bundle().find("sourceMappingURL"), std::string_view::npos);
}

TEST(Page, IsOneFileThatForbidsRequests) {
  const std::string page = html(sample_page());
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find("unsafe-eval"), std::string::npos);
  EXPECT_EQ(occurrences(page, "<script src"), 0U);
  EXPECT_EQ(occurrences(page, "<link"), 0U);
  EXPECT_EQ(occurrences(page, "type=\"application/json\""), 2U);
}

TEST(Page, EscapesEveryTextItIsGiven) {
  const std::string evil = "</script></title><script>alert(1)</script>";
  Page page = sample_page();
  page.title = page.lead = page.command = page.version = page.date = evil;
  page.sections[0].heading = page.sections[0].text = evil;
  page.sections[0].chart->description = evil;
  page.sections[0].chart->spec["description"] = evil;
  page.sections[1].table->title = evil;
  page.sections[1].table->columns[0].name = page.sections[1].table->columns[0].unit = evil;
  page.sections[1].table->rows[0][0] = evil;
  EXPECT_EQ(html(page).find("alert(1)</script>"), std::string::npos);
}

TEST(Page, SplitsTextIntoParagraphs) {
  Page page = sample_page();
  page.sections = {{.heading = "h", .text = "one\n\n\n\ntwo\nlines\n\n"}};
  EXPECT_NE(html(page).find("<p>one</p>\n<p>two\nlines</p>\n</section>"), std::string::npos);
}

TEST(Page, SetsWhatStandsInBackticksAsCode) {
  Page page = sample_page();
  page.sections = {{.heading = "h", .text = "`attnlaw solve --alpha <A>` shows `it`, and ` stays"}};
  const std::string text = html(page);
  EXPECT_NE(text.find("<p><code>attnlaw solve --alpha &lt;A&gt;</code> shows <code>it</code>, and ` stays</p>"),
            std::string::npos);
}

TEST(Page, HasItsInputAtTheFootToBeSaved) {
  Page page = sample_page();
  EXPECT_EQ(html(page).find("data-input"), std::string::npos);
  page.input = "target = \"wishart:0.5\"\n";
  page.input_name = "problem.toml";
  page.target_hash = "0123456789abcdef";
  const std::string text = html(page);
  EXPECT_NE(text.find("<pre>target = &quot;wishart:0.5&quot;\n</pre>"), std::string::npos);
  EXPECT_NE(text.find("data-input=\"problem.toml\""), std::string::npos);
  EXPECT_NE(text.find("<code>0123456789abcdef</code>"), std::string::npos);
}

TEST(Page, ShowsTheFirstOfManyNumbersAndKeepsAllForTheFile) {
  Page page = sample_page();
  page.sections = {{.heading = "h", .chart = errors_chart(test::learning_curves(500, 8))}};
  const std::string text = html(page);
  EXPECT_NE(text.find("The first 400 of"), std::string::npos);
  EXPECT_NE(text.find("needs JavaScript; the table below has the first 400 of"), std::string::npos);
  EXPECT_EQ(occurrences(text, "<tr>"), 2 + 400U) << "the heads of two rows and the numbers";
  const std::size_t from = text.find("id=\"csv-1\">") + 11;
  const nlohmann::json stored = nlohmann::json::parse(text.substr(from, text.find("</script>", from) - from));
  EXPECT_EQ(stored.get<std::string>(), csv(page.sections[0].chart->data));
}

TEST(Page, WithoutChartsCarriesNoChartLibrary) {
  Page page = sample_page();
  page.sections = {{.heading = "h", .text = "t", .table = sample_page().sections[1].table}};
  EXPECT_LT(html(page).size(), 40000U);
}

Page gallery_page(int panels, int values = 64) {
  SpectrumGallery gallery{.value = "z", .description = "Values over their law.", .density = {{0, 0}, {1, 0.9}, {2, 0}}};
  for (int i = 0; i < panels; ++i) {
    SpectrumPanel panel{.title = "head " + std::to_string(i), .outliers = 2, .table = {"", {{"figure"}, {"value"}}}};
    for (int k = 0; k < values; ++k) panel.values.push_back(2.4 - 1.9 * (k + 1 / 3.0) / values);
    for (int row = 0; row < 11; ++row) panel.table.rows.push_back({std::string("figure"), 1.0 / (1 + row)});
    gallery.panels.push_back(std::move(panel));
  }
  Page page = sample_page();
  page.sections = {{.heading = "Heads"}};
  page.sections[0].gallery = std::move(gallery);
  return page;
}

TEST(Page, OfAThousandPanelsStaysSmall) {
  EXPECT_LT(html(gallery_page(1000)).size(), 5000000U);
  // The heads of a 7B model have 128 rows.
  EXPECT_LT(html(gallery_page(1000, 128)).size(), 5000000U);
  // A value takes its digits and a comma.
  const std::size_t few = html(gallery_page(10, 64)).size(), many = html(gallery_page(10, 128)).size();
  EXPECT_LT(many - few, 10U * 64 * 8);
}

TEST_F(PageInBrowser, DrawsAPanelWhenItIsOpen) {
  const std::string folded = write(gallery_page(3));
  expect_faultless(test::inspect_page(folded), 0);
  std::string page = html(gallery_page(3));
  const std::string closed = "<details class=\"panel\">";
  page.replace(page.find(closed), closed.size(), "<details class=\"panel\" open>");
  base::write_atomically(folded, page);
  const test::PageReport report = test::inspect_page(folded);
  expect_faultless(report, 1);
  EXPECT_EQ(report.marks.at("gallery-1/ticks"), 64);
  EXPECT_GT(report.marks.at("gallery-1/histogram"), 5);
}

TEST_F(PageInBrowser, DrawsBothChartsWithoutAFault) {
  const test::PageReport report = test::inspect_page(write(sample_page()));
  expect_faultless(report, 2);
  EXPECT_EQ(report.marks.at("spec-1/theory"), 3);
  EXPECT_EQ(report.marks.at("spec-1/experiment"), 24);
  EXPECT_EQ(report.marks.at("spec-1/error_bars"), 24);
  EXPECT_GE(report.marks.at("spec-2/histogram"), 5);
  EXPECT_EQ(report.marks.at("spec-2/density"), 1);
  EXPECT_EQ(report.marks.at("spec-2/atom"), 2) << "measured and predicted";
  EXPECT_EQ(report.marks.at("spec-2/atom_label"), 1);
  EXPECT_EQ(report.saved.at("attnlaw-chart-1.csv"), csv(sample_page().sections[0].chart->data));
  EXPECT_EQ(report.exports, (std::vector<std::string>{"blob", "data:image/png", "blob", "data:image/png"}));
}

TEST_F(PageInBrowser, ZoomsAndSinglesOutSeries) {
  const test::PageReport report = test::inspect_page(write(sample_page()));
  EXPECT_GT(report.zoomed, 0.5);
  EXPECT_LT(report.zoomed, 0.95) << "Shift and wheel";
  // Of three series with a line, 8 points and their bars, two are faint.
  EXPECT_EQ(report.faint, 2 * (1 + 8 + 8));
}

/// A curve of two students, ridges of one of them along α, and a spectrum of the other at one α.
Page linked_page() {
  ErrorsChart curve{.title = "Errors", .description = "d", .x = {.title = "α = n/d²", .id = "alpha"}, .y = {"error"}};
  RidgeChart ridges{.title = "Densities", .description = "d", .along = {"α = n/d²", Scale::linear, "alpha"}};
  SpectrumChart spectrum = test::semicircle_spectrum(20, 40);
  spectrum.subject = {"α = 0.2, direct", {{"alpha", 0.2}, {"student", "direct"}}};
  for (const char* student : {"direct", "tied"})
    curve.series.push_back({.name = student, .theory = {{0.1, 3}, {0.2, 2}, {0.3, 1}}, .keys = {{"student", student}}});
  for (const double alpha : {0.1, 0.2, 0.3}) {
    const std::string label = fmt::format("{}", alpha);
    ridges.ridges.push_back({.at = alpha,
                             .label = label,
                             .density = {{0, 1}, {1, alpha}},
                             .subject = {fmt::format("α = {}, tied", label), {{"alpha", alpha}, {"student", "tied"}}}});
  }
  return {.title = "t",
          .lead = "l",
          .sections = {{.heading = "Curve", .chart = errors_chart(curve)},
                       {.heading = "Ridges", .chart = ridge_chart(ridges)},
                       {.heading = "Spectrum", .chart = spectrum_chart(spectrum)}}};
}

TEST_F(PageInBrowser, LeadsFromThePointsOfACurveToTheirSpectra) {
  const test::PageReport report = test::inspect_page(write(linked_page()));
  expect_faultless(report, 3);
  ASSERT_EQ(report.links.size(), 4U);
  const auto& [by_name, printed, clicked, again] =
      std::tie(report.links[0], report.links[1], report.links[2], report.links[3]);
  EXPECT_EQ(by_name.chosen, "α = 0.1, tied");
  EXPECT_EQ(by_name.faint, 2 * 2) << "area and line of the two other ridges";
  EXPECT_EQ(by_name.marked, 1);
  EXPECT_EQ(by_name.texts, (std::vector<std::string>{"α = 0.1, tied: Ridges ", "Chosen: α = 0.1, tied.", ""}));
  EXPECT_EQ(printed.faint, 0);
  EXPECT_EQ(printed.marked, 0);
  EXPECT_EQ(clicked.chosen, "α = 0.2, tied") << "the student of the line counts";
  EXPECT_EQ(clicked.faint, 2 * 2);
  EXPECT_EQ(again.chosen, "–");
  EXPECT_EQ(again.faint, 0);
  EXPECT_EQ(again.marked, 0);
}

TEST_F(PageInBrowser, HasNoChoiceWhereNothingIsLinked) {
  Page page = linked_page();
  page.sections.resize(1);
  EXPECT_TRUE(test::inspect_page(write(page)).links.empty());
}

TEST_F(PageInBrowser, FitsADarkPhone) {
  expect_faultless(test::inspect_page(write(sample_page()), {.width = 390, .height = 800, .dark = true}), 2);
}

TEST_F(PageInBrowser, BreaksLinesWhereTheTheoryHasNoValue) {
  ErrorsChart curves = test::learning_curves(40, 8);
  curves.series[0].theory[20].y = std::nan("");
  curves.series[1].experiment[3].y = INFINITY;
  curves.series[2].experiment[3].standard_error = std::nan("");
  Page page = sample_page();
  page.sections = {{.heading = "h", .text = "", .chart = errors_chart(curves)}};
  const test::PageReport report = test::inspect_page(write(page));
  expect_faultless(report, 1);
  EXPECT_EQ(report.marks.at("spec-1/theory"), 4);
  EXPECT_EQ(report.marks.at("spec-1/experiment"), 23);
  EXPECT_EQ(report.marks.at("spec-1/error_bars"), 22);
}

TEST_F(PageInBrowser, ShowsPredictionsAloneAndDataAlone) {
  SpectrumChart prediction = test::semicircle_spectrum(100, 0);
  prediction.outliers = {2.5, 3};
  SpectrumChart data = test::semicircle_spectrum(0, 300);
  data.predicted_zero_mass = 0;
  Page page = sample_page();
  page.sections = {{.heading = "h", .text = "", .chart = spectrum_chart(prediction)},
                   {.heading = "k", .text = "", .chart = spectrum_chart(data)}};
  const test::PageReport report = test::inspect_page(write(page));
  expect_faultless(report, 2);
  EXPECT_EQ(report.marks.at("spec-1/density"), 1);
  EXPECT_EQ(report.marks.at("spec-1/outliers"), 2);
  EXPECT_EQ(report.marks.count("spec-1/histogram"), 0U);
  EXPECT_GE(report.marks.at("spec-2/histogram"), 5);
  EXPECT_EQ(report.marks.count("spec-2/density"), 0U);
}

TEST_F(PageInBrowser, ReportsAChartThatCannotBeDrawn) {
  Page page = sample_page();
  page.sections[0].chart->spec["layer"][0]["mark"] = "no such mark";
  const test::PageReport report = test::inspect_page(write(page));
  EXPECT_EQ(report.charts, 1);
  EXPECT_FALSE(report.errors.empty());
}

TEST_F(PageInBrowser, RefusesRequestsToTheNetwork) {
  Page page = sample_page();
  page.sections[0].chart->spec["layer"][0]["data"] = {{"url", "https://example.org/data.json"}};
  EXPECT_FALSE(test::inspect_page(write(page)).errors.empty());
}

TEST_F(PageInBrowser, CanBePictured) {
  const test::Scratch directory;
  const std::string png = directory.path() / "page.png";
  test::screenshot(write(sample_page()), png);
  EXPECT_GT(std::filesystem::file_size(png), 20000U);
}

}  // namespace
}  // namespace attnlaw::report
