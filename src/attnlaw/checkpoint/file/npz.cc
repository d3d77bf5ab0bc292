#include "attnlaw/checkpoint/file/npz.h"

#include <zip.h>

#include "attnlaw/checkpoint/file/cursor.h"
#include "attnlaw/checkpoint/file/npy.h"

namespace attnlaw::checkpoint {
namespace {

/// All members together may have at most this many times the bytes of the archive, and a little more for small ones.
constexpr std::size_t kInflation = 100, kSmall = std::size_t(1) << 20;

struct CloseZip {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};

std::unique_ptr<zip_t, CloseZip> open_archive(const MappedFile& file) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file.bytes().data(), file.bytes().size(), 0, &error);
  zip_t* archive = source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  const std::string message = archive == nullptr ? zip_error_strerror(&error) : "";
  zip_error_fini(&error);
  if (archive == nullptr) {
    if (source != nullptr) zip_source_free(source);
    refuse(file.path(), "is no readable zip archive: {}", message);
  }
  return std::unique_ptr<zip_t, CloseZip>(archive);
}

std::string where(const MappedFile& file, std::string_view member) {
  return fmt::format("{}: member '{}'", file.path(), printable(member));
}

zip_stat_t stat_of(const MappedFile& file, zip_t* archive, zip_uint64_t index) {
  zip_stat_t status;
  if (zip_stat_index(archive, index, ZIP_FL_ENC_RAW, &status) != 0 || (status.valid & ZIP_STAT_NAME) == 0)
    refuse(file.path(), "member {} of the archive cannot be read: {}", index, zip_strerror(archive));
  const std::string place = where(file, status.name);
  constexpr zip_uint64_t kNeeded =
      ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if ((status.valid & kNeeded) != kNeeded) refuse(place, "its sizes are missing");
  if (status.encryption_method != ZIP_EM_NONE) refuse(place, "is encrypted");
  if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE)
    refuse(place, "compression method {} is not read", status.comp_method);
  if (status.comp_size > file.bytes().size())
    refuse(place, "{} bytes are announced, more than the file has", status.comp_size);
  if (status.comp_method == ZIP_CM_STORE && status.comp_size != status.size)
    refuse(place, "is stored with {} bytes and has {}", status.comp_size, status.size);
  return status;
}

/// Returns the name of an array: that of its member without .npy.
std::string array_name(const MappedFile& file, std::string_view member) {
  const std::string slashed = fmt::format("/{}/", member);
  if (member.starts_with('/') || slashed.find("/../") != std::string::npos ||
      member.find('\\') != std::string_view::npos)
    refuse(where(file, member), "the name must not be a path out of the archive");
  if (member.ends_with(".npy")) member.remove_suffix(4);
  return std::string(member);
}

std::shared_ptr<const std::vector<std::byte>> unpack(const MappedFile& file, zip_t* archive, const zip_stat_t& status) {
  const std::string place = where(file, status.name);
  const std::unique_ptr<zip_file_t, CloseZip> member(zip_fopen_index(archive, status.index, 0));
  if (member == nullptr) refuse(place, "cannot be read: {}", zip_strerror(archive));
  auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(status.size));
  const zip_int64_t count = zip_fread(member.get(), bytes->data(), bytes->size());
  if (count < 0) refuse(place, "cannot be read: {}", zip_file_strerror(member.get()));
  // The checksum is compared when the end is reached.
  std::byte beyond;
  const zip_int64_t rest = zip_fread(member.get(), &beyond, 1);
  if (rest < 0) refuse(place, "cannot be read: {}", zip_file_strerror(member.get()));
  if (static_cast<zip_uint64_t>(count) != status.size || rest != 0)
    refuse(place, "does not have the size it announces");
  return bytes;
}

}  // namespace

Contents read_npz(std::shared_ptr<const MappedFile> file) {
  Contents contents(file->path(), "npz");
  const std::unique_ptr<zip_t, CloseZip> archive = open_archive(*file);
  const zip_int64_t members = zip_get_num_entries(archive.get(), 0);
  std::size_t room = file->bytes().size() * kInflation + kSmall;
  for (zip_int64_t i = 0; i < members; ++i) {
    const zip_stat_t status = stat_of(*file, archive.get(), static_cast<zip_uint64_t>(i));
    const std::string name = array_name(*file, status.name);
    if (status.size > room)
      refuse(where(*file, status.name), "inflates to {} bytes, more than {} times the archive", status.size,
             kInflation);
    room -= static_cast<std::size_t>(status.size);
    std::shared_ptr<const std::vector<std::byte>> bytes = unpack(*file, archive.get(), status);
    Tensor tensor = read_npy_array(where(*file, status.name), *bytes);
    tensor.name = name;
    tensor.file = file;
    tensor.unpacked = std::move(bytes);
    contents.add(std::move(tensor));
  }
  if (members == 0) refuse(file->path(), "the archive has no arrays");
  return contents;
}

}  // namespace attnlaw::checkpoint
