/*
 * Writes confusables.json: for each prototype of Unicode's confusables.txt (UTS #39), the letters, marks and digits that
 * look like it. The data is that of the ICU that this is linked with. On Debian:
 *   apt-get install libicu-dev && cc generate.c -licui18n -licuuc -o /tmp/generate && /tmp/generate > confusables.json
 */
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/unorm2.h>

static int belongs_to_names(UChar32 c) {
  uint32_t mask = U_GET_GC_MASK(c);
  return (mask & (U_GC_L_MASK | U_GC_M_MASK | U_GC_ND_MASK)) != 0;
}

int main(void) {
  UErrorCode status = U_ZERO_ERROR;
  USpoofChecker *checker = uspoof_open(&status);
  const UNormalizer2 *nfd = unorm2_getNFDInstance(&status);
  UVersionInfo version;
  char versionText[U_MAX_VERSION_STRING_LENGTH];
  u_getUnicodeVersion(version);
  u_versionToString(version, versionText);
  printf("{\n  \"unicode\": \"%s\",\n  \"pairs\": \"", versionText);
  for (UChar32 c = 0x30; c <= 0x10ffff; c++) {
    UChar one[2], skeleton[64], decomposed[64];
    char utf8[256];
    int32_t length = 0, size = 0;
    if (U_IS_SURROGATE(c) || !u_isdefined(c) || !belongs_to_names(c)) continue;
    U16_APPEND_UNSAFE(one, length, c);
    int32_t decomposedLength = unorm2_normalize(nfd, one, length, decomposed, 64, &status);
    /* What NFD takes apart is looked up part by part. */
    if (decomposedLength != length || memcmp(one, decomposed, sizeof(UChar) * length) != 0) continue;
    int32_t skeletonLength = uspoof_getSkeleton(checker, 0, one, length, skeleton, 64, &status);
    if (U_FAILURE(status)) return fprintf(stderr, "%x: %s\n", c, u_errorName(status)), 1;
    if (skeletonLength == length && memcmp(one, skeleton, sizeof(UChar) * length) == 0) continue;
    u_strToUTF8(utf8, sizeof utf8, &size, one, length, &status);
    printf("%.*s", size, utf8);
    u_strToUTF8(utf8, sizeof utf8, &size, skeleton, skeletonLength, &status);
    for (int32_t i = 0; i < size; i++) {
      if (utf8[i] == '"' || utf8[i] == '\\') putchar('\\');
      putchar(utf8[i]);
    }
    printf("\\n");
  }
  printf("\"\n}\n");
  return U_FAILURE(status);
}
