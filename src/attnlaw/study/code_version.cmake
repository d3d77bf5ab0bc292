# cmake -DSOURCES=<files> -DROOT=<source tree> -DVERSION=<project version> -DOUTPUT=<file.cc> -P code_version.cmake: writes
# study::code_version(), the version with a digest of the files that determine results.
set(digests "")
foreach(file IN LISTS SOURCES)
  file(SHA256 ${file} digest)
  file(RELATIVE_PATH name ${ROOT} ${file})
  string(APPEND digests "${name} ${digest}\n")
endforeach()
string(SHA256 digest "${digests}")
string(SUBSTRING ${digest} 0 12 digest)
set(text "#include \"attnlaw/study/task.h\"

namespace attnlaw::study {

const std::string& code_version() {
  static const std::string version = \"${VERSION}+${digest}\";
  return version;
}

}  // namespace attnlaw::study
")
file(WRITE ${OUTPUT} "${text}")
