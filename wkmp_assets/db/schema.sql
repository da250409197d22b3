-- The tables of a new WKMP library. Existing databases get what they lack (see schema.py).
-- Columns named like another with _evidence are only of the import: they say why it wrote that name.
-- Keys are lowercase UUIDs; timestamps are UTC text, YYYY-MM-DD HH:MM:SS; positions are ticks (28,224,000 a second).

CREATE TABLE IF NOT EXISTS schema_version (
  version INTEGER PRIMARY KEY,
  applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE IF NOT EXISTS settings (
  key TEXT PRIMARY KEY,
  value TEXT,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE IF NOT EXISTS files (
  guid TEXT PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL,
  duration_ticks INTEGER CHECK (duration_ticks IS NULL OR duration_ticks > 0),
  format TEXT,
  sample_rate INTEGER CHECK (sample_rate IS NULL OR sample_rate > 0),
  channels INTEGER CHECK (channels IS NULL OR (channels > 0 AND channels <= 32)),
  file_size_bytes INTEGER CHECK (file_size_bytes IS NULL OR file_size_bytes >= 0),
  artist TEXT, title TEXT, album TEXT, track_number INTEGER, year INTEGER,
  modification_time TIMESTAMP NOT NULL,
  status TEXT DEFAULT 'PENDING' CHECK (status IN
    ('PENDING', 'PROCESSING', 'INGEST COMPLETE', 'DUPLICATE HASH', 'NO AUDIO')),
  matching_hashes TEXT,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX IF NOT EXISTS idx_files_path ON files(path);
CREATE INDEX IF NOT EXISTS idx_files_hash ON files(hash);

CREATE TABLE IF NOT EXISTS passages (
  guid TEXT PRIMARY KEY,
  file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
  start_time_ticks INTEGER NOT NULL DEFAULT 0,
  fade_in_start_ticks INTEGER,
  lead_in_start_ticks INTEGER,
  lead_out_start_ticks INTEGER,
  fade_out_start_ticks INTEGER,
  end_time_ticks INTEGER NOT NULL,
  fade_in_curve TEXT, fade_out_curve TEXT,
  title TEXT, user_title TEXT, artist TEXT, album TEXT,
  recording_mbid TEXT,
  song_id TEXT,
  musical_flavor_vector TEXT,
  import_metadata TEXT, additional_metadata TEXT,
  decode_status TEXT DEFAULT 'pending' CHECK (decode_status IN
    ('pending', 'successful', 'unsupported_codec', 'failed')),
  flavor_source_blend TEXT, flavor_confidence_map TEXT, flavor_completeness REAL,
  title_source TEXT, title_confidence REAL,
  artist_source TEXT, artist_confidence REAL,
  album_source TEXT, album_confidence REAL,
  mbid_source TEXT, mbid_confidence REAL,
  identity_confidence REAL, identity_posterior_probability REAL, identity_conflicts TEXT,
  overall_quality_score REAL, metadata_completeness REAL,
  validation_status TEXT, validation_report TEXT, validation_issues TEXT,
  import_session_id TEXT, import_timestamp TIMESTAMP, import_strategy TEXT,
  status TEXT DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'INGEST COMPLETE')),
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CHECK (start_time_ticks >= 0),
  CHECK (end_time_ticks > start_time_ticks),
  CHECK (fade_in_start_ticks IS NULL OR fade_in_start_ticks BETWEEN start_time_ticks AND end_time_ticks),
  CHECK (lead_in_start_ticks IS NULL OR lead_in_start_ticks BETWEEN start_time_ticks AND end_time_ticks),
  CHECK (lead_out_start_ticks IS NULL OR lead_out_start_ticks BETWEEN start_time_ticks AND end_time_ticks),
  CHECK (fade_out_start_ticks IS NULL OR fade_out_start_ticks BETWEEN start_time_ticks AND end_time_ticks),
  CHECK (fade_in_start_ticks IS NULL OR fade_out_start_ticks IS NULL OR fade_in_start_ticks <= fade_out_start_ticks),
  CHECK (lead_in_start_ticks IS NULL OR lead_out_start_ticks IS NULL OR lead_in_start_ticks <= lead_out_start_ticks),
  CHECK (fade_in_curve IS NULL OR fade_in_curve IN ('exponential', 'cosine', 'linear', 'logarithmic', 'equal_power')),
  CHECK (fade_out_curve IS NULL OR fade_out_curve IN ('exponential', 'cosine', 'linear', 'logarithmic', 'equal_power')));
CREATE INDEX IF NOT EXISTS idx_passages_file_id ON passages(file_id);
CREATE INDEX IF NOT EXISTS idx_passages_title ON passages(title);
CREATE INDEX IF NOT EXISTS idx_passages_decode_status ON passages(decode_status);

CREATE TABLE IF NOT EXISTS songs (
  guid TEXT PRIMARY KEY,
  recording_mbid TEXT NOT NULL UNIQUE,
  title TEXT, artist_name TEXT,
  title_evidence TEXT, artist_name_evidence TEXT,
  flavor_vector TEXT, flavor_source_blend TEXT,
  work_id TEXT, related_songs TEXT, lyrics TEXT,
  base_probability REAL NOT NULL DEFAULT 1.0 CHECK (base_probability >= 0.0 AND base_probability <= 1000.0),
  min_cooldown INTEGER NOT NULL DEFAULT 604800 CHECK (min_cooldown >= 0),
  ramping_cooldown INTEGER NOT NULL DEFAULT 1209600 CHECK (ramping_cooldown >= 0),
  last_played_at TIMESTAMP,
  status TEXT DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'FLAVOR READY', 'FLAVORING FAILED')),
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX IF NOT EXISTS idx_songs_recording_mbid ON songs(recording_mbid);
CREATE INDEX IF NOT EXISTS idx_songs_last_played ON songs(last_played_at);

CREATE TABLE IF NOT EXISTS artists (
  guid TEXT PRIMARY KEY,
  artist_mbid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  name_evidence TEXT,
  base_probability REAL NOT NULL DEFAULT 1.0 CHECK (base_probability >= 0.0 AND base_probability <= 1000.0),
  min_cooldown INTEGER NOT NULL DEFAULT 7200 CHECK (min_cooldown >= 0),
  ramping_cooldown INTEGER NOT NULL DEFAULT 14400 CHECK (ramping_cooldown >= 0),
  last_played_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX IF NOT EXISTS idx_artists_mbid ON artists(artist_mbid);
CREATE INDEX IF NOT EXISTS idx_artists_last_played ON artists(last_played_at);

CREATE TABLE IF NOT EXISTS works (
  guid TEXT PRIMARY KEY,
  work_mbid TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  title_evidence TEXT,
  base_probability REAL NOT NULL DEFAULT 1.0 CHECK (base_probability >= 0.0 AND base_probability <= 1000.0),
  min_cooldown INTEGER NOT NULL DEFAULT 259200 CHECK (min_cooldown >= 0),
  ramping_cooldown INTEGER NOT NULL DEFAULT 604800 CHECK (ramping_cooldown >= 0),
  last_played_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX IF NOT EXISTS idx_works_mbid ON works(work_mbid);
CREATE INDEX IF NOT EXISTS idx_works_last_played ON works(last_played_at);

CREATE TABLE IF NOT EXISTS albums (
  guid TEXT PRIMARY KEY,
  album_mbid TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  release_date TEXT,
  title_evidence TEXT, release_date_evidence TEXT,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX IF NOT EXISTS idx_albums_mbid ON albums(album_mbid);

CREATE TABLE IF NOT EXISTS images (
  guid TEXT PRIMARY KEY,
  file_path TEXT NOT NULL,
  image_type TEXT NOT NULL CHECK (image_type IN
    ('album_front', 'album_back', 'album_liner', 'song', 'passage', 'artist', 'work', 'logo')),
  entity_id TEXT NOT NULL,
  priority INTEGER NOT NULL DEFAULT 100 CHECK (priority >= 0),
  width INTEGER, height INTEGER,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX IF NOT EXISTS idx_images_entity ON images(entity_id, image_type, priority);
CREATE INDEX IF NOT EXISTS idx_images_type ON images(image_type);

CREATE TABLE IF NOT EXISTS passage_songs (
  passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE,
  song_id TEXT NOT NULL REFERENCES songs(guid) ON DELETE CASCADE,
  start_time_ticks INTEGER NOT NULL CHECK (start_time_ticks >= 0),
  end_time_ticks INTEGER NOT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (passage_id, song_id),
  CHECK (end_time_ticks > start_time_ticks));
CREATE INDEX IF NOT EXISTS idx_passage_songs_passage ON passage_songs(passage_id);
CREATE INDEX IF NOT EXISTS idx_passage_songs_song ON passage_songs(song_id);
CREATE INDEX IF NOT EXISTS idx_passage_songs_timing ON passage_songs(passage_id, start_time_ticks);

CREATE TABLE IF NOT EXISTS song_artists (
  song_id TEXT NOT NULL REFERENCES songs(guid) ON DELETE CASCADE,
  artist_id TEXT NOT NULL REFERENCES artists(guid) ON DELETE CASCADE,
  weight REAL NOT NULL CHECK (weight > 0.0 AND weight <= 1.0),
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (song_id, artist_id));
CREATE INDEX IF NOT EXISTS idx_song_artists_song ON song_artists(song_id);
CREATE INDEX IF NOT EXISTS idx_song_artists_artist ON song_artists(artist_id);

CREATE TABLE IF NOT EXISTS passage_albums (
  passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE,
  album_id TEXT NOT NULL REFERENCES albums(guid) ON DELETE CASCADE,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (passage_id, album_id));
CREATE INDEX IF NOT EXISTS idx_passage_albums_passage ON passage_albums(passage_id);
CREATE INDEX IF NOT EXISTS idx_passage_albums_album ON passage_albums(album_id);

CREATE TABLE IF NOT EXISTS song_works (
  song_id TEXT NOT NULL REFERENCES songs(guid) ON DELETE CASCADE,
  work_id TEXT NOT NULL REFERENCES works(guid) ON DELETE CASCADE,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (song_id, work_id));
CREATE INDEX IF NOT EXISTS idx_song_works_song ON song_works(song_id);
CREATE INDEX IF NOT EXISTS idx_song_works_work ON song_works(work_id);

CREATE TABLE IF NOT EXISTS import_provenance (
  id TEXT PRIMARY KEY,
  passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE,
  source_type TEXT NOT NULL,
  data_extracted TEXT,
  confidence REAL,
  timestamp INTEGER);
CREATE INDEX IF NOT EXISTS idx_import_provenance_passage_id ON import_provenance(passage_id);

-- Only of the import: files that could not be imported. A row goes when the file is imported.
CREATE TABLE IF NOT EXISTS import_failures (
  path TEXT PRIMARY KEY,
  phase TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 1 CHECK (attempts > 0),
  failed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);

-- Only of the import: what is doubtful about a file. Its rows are replaced with each import of the file.
CREATE TABLE IF NOT EXISTS import_warnings (
  file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (file_id, kind, message));

-- Only of the import: which of its pictures in `images` are of which file. A picture goes with the last one.
CREATE TABLE IF NOT EXISTS import_images (
  file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
  image_id TEXT NOT NULL REFERENCES images(guid) ON DELETE CASCADE,
  PRIMARY KEY (file_id, image_id));
CREATE INDEX IF NOT EXISTS idx_import_images_image ON import_images(image_id);

-- Only of the import: files of the library that are not on disk. A row goes when the file is back or removed.
CREATE TABLE IF NOT EXISTS import_undo (
  run_id TEXT NOT NULL,
  file TEXT NOT NULL,
  path TEXT NOT NULL,
  command TEXT NOT NULL,
  at TIMESTAMP NOT NULL,
  before BLOB NOT NULL,
  after TEXT NOT NULL,
  PRIMARY KEY (run_id, file));

CREATE TABLE IF NOT EXISTS missing_files (
  path TEXT PRIMARY KEY,
  missing_since TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);

-- What WKMP's player reads, computed from the ticks when it is read: seconds in files and passages, milliseconds and the
-- older names in passage_songs. They take no space. A database that has a column of that name keeps its own.
ALTER TABLE files ADD COLUMN duration REAL GENERATED ALWAYS AS (duration_ticks / 28224000.0) VIRTUAL;
ALTER TABLE passages ADD COLUMN start_time REAL GENERATED ALWAYS AS (start_time_ticks / 28224000.0) VIRTUAL;
ALTER TABLE passages ADD COLUMN end_time REAL GENERATED ALWAYS AS (end_time_ticks / 28224000.0) VIRTUAL;
ALTER TABLE passages ADD COLUMN lead_in_point REAL GENERATED ALWAYS AS (lead_in_start_ticks / 28224000.0) VIRTUAL;
ALTER TABLE passages ADD COLUMN lead_out_point REAL GENERATED ALWAYS AS (lead_out_start_ticks / 28224000.0) VIRTUAL;
ALTER TABLE passages ADD COLUMN fade_in_point REAL GENERATED ALWAYS AS (fade_in_start_ticks / 28224000.0) VIRTUAL;
ALTER TABLE passages ADD COLUMN fade_out_point REAL GENERATED ALWAYS AS (fade_out_start_ticks / 28224000.0) VIRTUAL;
ALTER TABLE passage_songs ADD COLUMN passage_guid TEXT GENERATED ALWAYS AS (passage_id) VIRTUAL;
ALTER TABLE passage_songs ADD COLUMN song_guid TEXT GENERATED ALWAYS AS (song_id) VIRTUAL;
ALTER TABLE passage_songs ADD COLUMN start_time_ms INTEGER GENERATED ALWAYS AS (start_time_ticks / 28224) VIRTUAL;
ALTER TABLE passage_songs ADD COLUMN end_time_ms INTEGER GENERATED ALWAYS AS (end_time_ticks / 28224) VIRTUAL;
