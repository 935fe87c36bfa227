/* SPDX-License-Identifier: Apache-2.0 */
/* How the images of each format are to be stored, decided from samples: half of them are learned from, the other half is coded in
 * every way and weighed. Why it decides as it does stands in DESIGN.md. */
#include "writer.h"

/* Of the original bytes: what a coding must save, or images are stored as they are and read without a copy; and what a dictionary
 * must save beyond what does without it, or one more thing is needed to read them. */
#define LEAST_SAVED      0.1
#define DICTIONARY_SHARE 0.02
/* Of a larger sample its beginning counts. */
#define SAMPLE_MAX_BYTES (UINT64_C(1) << 20)
/* Which way is best hardly depends on the level, what it costs to find out does. */
#define TRIAL_LEVEL_MAX 5
/* Fewer samples than this are too few to learn from and to test what was learned. */
#define LEARNABLE_SAMPLES 16
/* Larger images have room for tables of their own. */
#define LEARNABLE_MEAN_BYTES (UINT64_C(1) << 16)
#define LEARNING_BYTES       (UINT64_C(1) << 20)
#define LEARNING_PIECE_BYTES (UINT64_C(1) << 14)
/* Dictionaries of the archive that are tried, the newest first. */
#define KNOWN_TRIED 8
/* What samples as they are would do for a dictionary: some of them, a piece of each. */
#define GLANCE_SAMPLES     16
#define GLANCE_PIECE_BYTES 1024

/* The small one stays in the first cache of a processor beside the image; the larger one holds the headers of many encoders. */
static const size_t dictionary_sizes[] = {4096, 32768};
#define LARGEST_DICTIONARY 32768

struct training {
    struct aimg_writer *writer;
    int level;
    const struct aimg_sample **samples; /* of the format at hand that have bytes */
    size_t count;
    double images; /* of the format that will follow, for each that is tested */
    double margin; /* bytes that a dictionary must save beyond what is simpler */
    void *scratch;
    size_t scratch_bytes;
    void *learning; /* LEARNING_BYTES, when there is something to learn from */
    uint8_t dictionary[LARGEST_DICTIONARY], found[LARGEST_DICTIONARY];
};

/* What the test half takes in the file in one way. */
struct choice {
    double bytes; /* with its share of a new dictionary */
    uint8_t coding;
    size_t found_bytes; /* of a new dictionary, else 0 */
};

static size_t bytes_of(const struct aimg_sample *sample)
{
    return (size_t)(sample->bytes < SAMPLE_MAX_BYTES ? sample->bytes : SAMPLE_MAX_BYTES);
}

static uint64_t image_bytes(const struct aimg_sample *sample)
{
    return sample->image_bytes > sample->bytes ? sample->image_bytes : sample->bytes;
}

static bool learnable(const struct training *training)
{
    return training->count >= LEARNABLE_SAMPLES;
}

/* The odd ones, or all when nothing is learned from the even ones. */
static size_t first_tested(const struct training *training)
{
    return learnable(training) ? 1 : 0;
}

static size_t step(const struct training *training)
{
    return learnable(training) ? 2 : 1;
}

static double weigh_stored(const struct training *training)
{
    double bytes = 0;
    for (size_t i = first_tested(training); i < training->count; i += step(training))
        bytes += (double)aimg_round_up(image_bytes(training->samples[i]), AIMG_UNIT);
    return bytes;
}

static size_t encode(const struct training *training, const void *encoder, const void *data, size_t bytes)
{
    return aimg_codec_encode(&training->writer->codecs, training->level, encoder, data, bytes, training->scratch,
                             training->scratch_bytes);
}

/* What an image takes in the file. Of one that is known by its beginning the rest is taken to go as the second half of that does:
 * headers and profiles stand in front. */
static uint64_t weigh_image(const struct training *training, const void *encoder, const struct aimg_sample *sample)
{
    size_t known = bytes_of(sample);
    uint64_t all = image_bytes(sample);
    double stored = (double)encode(training, encoder, sample->data, known);
    if (stored == 0 || stored >= (double)known)
        return aimg_round_up(all, AIMG_UNIT);
    if (all > known) {
        size_t front = known / 2;
        double half = (double)encode(training, encoder, sample->data, front);
        double rate = (stored - half) / (double)(known - front);
        stored += (rate > 0 ? rate : 0) * (double)(all - known);
    }
    bool pays = stored < (double)all && aimg_coding_pays(&training->writer->coders, (uint64_t)stored, all);
    return aimg_round_up(pays ? (uint64_t)stored : all, AIMG_UNIT);
}

static double weigh_coded(const struct training *training, const void *encoder)
{
    double bytes = 0;
    for (size_t i = first_tested(training); i < training->count; i += step(training))
        bytes += (double)weigh_image(training, encoder, training->samples[i]);
    return bytes;
}

/* With a dictionary; more than anything else when it is none. */
static double weigh_dictionary(const struct training *training, const void *dictionary, size_t bytes)
{
    void *encoder = aimg_codec_encoder_create(dictionary, bytes, training->level);
    double weight = encoder == NULL ? (double)UINT64_MAX : weigh_coded(training, encoder);
    aimg_codec_encoder_destroy(encoder);
    return weight;
}

/* ------------------------------------------------------------------ dictionaries that there are */

/* *copy_out: to be released; NULL when the dictionary is not to be used: one that is damaged is left to verify. */
static enum aimg_status fetch_known(const struct aimg_writer *writer, const struct aimg_coder *coder, uint8_t **copy_out,
                                    struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    *copy_out = NULL;
    if (coder->record.codec != AIMG_CODEC_ZSTD_DICT)
        return AIMG_OK;
    if (coder->dictionary == NULL && coder->record.offset < writer->located.end) {
        status = aimg_coding_fetch(writer->base, &coder->record, copy_out, error);
        return status == AIMG_CHECKSUM ? AIMG_OK : status;
    }
    uint8_t *copy = aimg_alloc_array(&writer->allocator, coder->record.bytes, 1);
    if (copy == NULL)
        return aimg_fail_memory(error, coder->record.bytes);
    if (coder->dictionary != NULL)
        memcpy(copy, coder->dictionary, (size_t)coder->record.bytes);
    else /* written with an image of the open batch */
        status = aimg_writer_peek(writer, coder->record.offset + AIMG_FRAME_BYTES, copy, (size_t)coder->record.bytes, error);
    if (status == AIMG_OK)
        *copy_out = copy;
    else
        aimg_release(&writer->allocator, copy);
    return status;
}

static enum aimg_status try_known(const struct training *training, struct choice *best, struct aimg_error *error)
{
    const struct aimg_writer *writer = training->writer;
    unsigned tried = 0;
    double limit = best->bytes - training->margin;
    for (unsigned number = AIMG_CODINGS - 1; number >= AIMG_CODING_FIRST_LISTED && tried < KNOWN_TRIED; number--) {
        uint8_t *dictionary = NULL;
        if (writer->coders.by_number[number].record.coding == 0)
            continue;
        enum aimg_status status = fetch_known(writer, &writer->coders.by_number[number], &dictionary, error);
        if (status != AIMG_OK)
            return status;
        if (dictionary == NULL)
            continue;
        tried++;
        double bytes = weigh_dictionary(training, dictionary, (size_t)writer->coders.by_number[number].record.bytes);
        if (bytes < limit && bytes < best->bytes)
            *best = (struct choice){.bytes = bytes, .coding = (uint8_t)number};
        aimg_release(&writer->allocator, dictionary);
    }
    return AIMG_OK;
}

/* ------------------------------------------------------------------ new dictionaries */

/* The lowest number that is free, or 0. */
static uint8_t free_number(const struct aimg_coders *coders)
{
    for (unsigned number = AIMG_CODING_FIRST_LISTED; number < AIMG_CODINGS; number++)
        if (coders->by_number[number].record.coding == 0)
            return (uint8_t)number;
    return 0;
}

/* Beginnings of samples of the learning half, one after the other. Returns their number. */
static unsigned gather(const struct training *training, size_t samples, size_t piece, uint8_t *out, size_t *sizes, size_t *total)
{
    size_t half = (training->count + 1) / 2;
    unsigned count = 0;
    *total = 0;
    for (size_t i = 0; i < samples && i < half; i++) {
        const struct aimg_sample *sample = training->samples[2 * (samples < half ? i * half / samples : i)];
        size_t bytes = bytes_of(sample) < piece ? bytes_of(sample) : piece;
        memcpy(out + *total, sample->data, bytes);
        *total += bytes;
        if (sizes != NULL)
            sizes[count] = bytes;
        count++;
    }
    return count;
}

/* Whether it is worth learning: pieces of samples, as they are, would make a dictionary that is clearly better than what there
 * is. They cost little beside the training, and stand for it well. */
static bool promising(const struct training *training, const struct choice *best)
{
    size_t total;
    (void)gather(training, GLANCE_SAMPLES, GLANCE_PIECE_BYTES, training->learning, NULL, &total);
    return weigh_dictionary(training, training->learning, total) < best->bytes - training->margin;
}

static enum aimg_status learn(struct training *training, struct choice *best, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &training->writer->allocator;
    size_t half = (training->count + 1) / 2, total;
    size_t most = half < LEARNING_BYTES / 256 ? half : LEARNING_BYTES / 256;
    size_t piece = LEARNING_BYTES / most < LEARNING_PIECE_BYTES ? LEARNING_BYTES / most : LEARNING_PIECE_BYTES;
    size_t *sizes = aimg_alloc_array(allocator, most, sizeof *sizes);
    if (sizes == NULL)
        return aimg_fail_memory(error, most * sizeof *sizes);
    unsigned count = gather(training, most, piece, training->learning, sizes, &total);
    for (size_t i = 0; i < sizeof dictionary_sizes / sizeof dictionary_sizes[0]; i++) {
        size_t bytes = aimg_codec_train(training->learning, sizes, count, training->dictionary, dictionary_sizes[i]);
        if (bytes == 0)
            continue;
        double share = (double)(AIMG_FRAME_BYTES + bytes + AIMG_CODING_RECORD_BYTES) / training->images;
        double weight = weigh_dictionary(training, training->dictionary, bytes) + share;
        if (weight >= best->bytes - training->margin)
            continue;
        *best = (struct choice){.bytes = weight, .coding = free_number(&training->writer->coders), .found_bytes = bytes};
        memcpy(training->found, training->dictionary, bytes);
    }
    aimg_release(allocator, sizes);
    return AIMG_OK;
}

static enum aimg_status try_new(struct training *training, double stored, struct choice *best, struct aimg_error *error)
{
    size_t tested = training->count / step(training);
    if (!learnable(training) || stored / (double)tested > LEARNABLE_MEAN_BYTES || free_number(&training->writer->coders) == 0)
        return AIMG_OK;
    if (training->learning == NULL)
        training->learning = training->writer->allocator.alloc(training->writer->allocator.user, LEARNING_BYTES);
    if (training->learning == NULL)
        return aimg_fail_memory(error, LEARNING_BYTES);
    return promising(training, best) ? learn(training, best, error) : AIMG_OK;
}

/* ------------------------------------------------------------------ deciding */

static enum aimg_status define(struct training *training, const struct choice *choice, struct aimg_error *error)
{
    struct aimg_coder *coder = &training->writer->coders.by_number[choice->coding];
    coder->dictionary = aimg_alloc_array(&training->writer->allocator, choice->found_bytes, 1);
    if (coder->dictionary == NULL)
        return aimg_fail_memory(error, choice->found_bytes);
    memcpy(coder->dictionary, training->found, choice->found_bytes);
    coder->record =
        (struct aimg_coding_record){.coding = choice->coding, .codec = AIMG_CODEC_ZSTD_DICT, .bytes = choice->found_bytes};
    aimg_hash_store(coder->record.hash, aimg_hash(coder->dictionary, choice->found_bytes));
    return AIMG_OK;
}

/* The encoder of a coding that has none. */
static enum aimg_status ready(struct aimg_writer *writer, uint8_t coding, struct aimg_error *error)
{
    struct aimg_coder *coder = &writer->coders.by_number[coding];
    uint8_t *dictionary = NULL;
    if (coding < AIMG_CODING_FIRST_LISTED || coder->encoder != NULL)
        return AIMG_OK;
    enum aimg_status status = fetch_known(writer, coder, &dictionary, error);
    if (status != AIMG_OK || dictionary == NULL)
        return status;
    coder->encoder = aimg_codec_encoder_create(dictionary, (size_t)coder->record.bytes, writer->coders.level);
    aimg_release(&writer->allocator, dictionary);
    return coder->encoder != NULL ? AIMG_OK : aimg_fail_memory(error, coder->record.bytes);
}

static enum aimg_status decide(struct training *training, uint8_t format, struct aimg_error *error)
{
    struct aimg_coders *coders = &training->writer->coders;
    double stored = weigh_stored(training);
    struct choice best = {.bytes = weigh_coded(training, NULL), .coding = AIMG_CODING_ZSTD};
    training->margin = stored * DICTIONARY_SHARE;
    enum aimg_status status = try_known(training, &best, error);
    if (status == AIMG_OK)
        status = try_new(training, stored, &best, error);
    if (status != AIMG_OK)
        return status;
    if (best.bytes > stored * (1 - LEAST_SAVED))
        best = (struct choice){.coding = AIMG_CODING_STORE};
    if (best.found_bytes > 0)
        status = define(training, &best, error);
    if (status == AIMG_OK)
        status = ready(training->writer, best.coding, error);
    if (status == AIMG_OK)
        coders->way[format] = best.coding;
    return status;
}

static enum aimg_status check_samples(const struct aimg_writer *writer, const struct aimg_sample *samples, size_t count,
                                      struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK && samples == NULL && count > 0)
        status = aimg_fail(error, AIMG_INVALID_ARGUMENT, "training needs samples");
    for (size_t i = 0; status == AIMG_OK && i < count; i++)
        if ((samples[i].data == NULL && samples[i].bytes > 0) || samples[i].format >= AIMG_FORMATS || samples[i].reserved != 0 ||
            samples[i].bytes >= AIMG_PAYLOAD_LIMIT || samples[i].image_bytes >= AIMG_PAYLOAD_LIMIT)
            status = aimg_fail(error, AIMG_INVALID_ARGUMENT, "a sample needs data, a format below 256, and reserved set to 0");
    return status;
}

/* The samples of one format that have bytes. */
static void choose(struct training *training, const struct aimg_sample *samples, size_t count, unsigned format)
{
    training->count = 0;
    for (size_t i = 0; i < count; i++)
        if (samples[i].format == format && samples[i].bytes > 0)
            training->samples[training->count++] = &samples[i];
}

static enum aimg_status train(struct training *training, const struct aimg_sample *samples, size_t count, double images,
                              struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &training->writer->allocator;
    size_t largest = 0;
    bool present[AIMG_FORMATS] = {false};
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; i < count; i++) {
        largest = bytes_of(&samples[i]) > largest ? bytes_of(&samples[i]) : largest;
        present[samples[i].format] |= samples[i].bytes > 0;
    }
    training->scratch_bytes = aimg_codec_bound(largest);
    training->scratch = allocator->alloc(allocator->user, training->scratch_bytes);
    training->samples = aimg_alloc_array(allocator, count, sizeof(const struct aimg_sample *));
    if (training->scratch == NULL || training->samples == NULL)
        return aimg_fail_memory(error, training->scratch_bytes + count * sizeof(const struct aimg_sample *));
    for (unsigned format = 0; status == AIMG_OK && format < AIMG_FORMATS; format++) {
        if (!present[format])
            continue;
        choose(training, samples, count, format);
        training->images = images / (double)count * (double)step(training);
        status = decide(training, (uint8_t)format, error);
    }
    return status;
}

enum aimg_status aimg_writer_train(struct aimg_writer *writer, const struct aimg_sample *samples, size_t count,
                                   uint64_t expected_images, struct aimg_error *error)
{
    enum aimg_status status = check_samples(writer, samples, count, error);
    if (status != AIMG_OK || !writer->coders.sparing || count == 0)
        return status;
    struct training *training = aimg_alloc_array(&writer->allocator, 1, sizeof *training);
    if (training == NULL)
        return aimg_fail_memory(error, sizeof *training);
    training->writer = writer;
    training->level = writer->coders.level < TRIAL_LEVEL_MAX ? writer->coders.level : TRIAL_LEVEL_MAX;
    status = train(training, samples, count, (double)(expected_images > 0 ? expected_images : count), error);
    aimg_release(&writer->allocator, training->learning);
    aimg_release(&writer->allocator, training->samples);
    aimg_release(&writer->allocator, training->scratch);
    aimg_release(&writer->allocator, training);
    return status;
}
