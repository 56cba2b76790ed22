// Report of a repair: the damage to a learner's folder, and what is lost with it.

/** Files are named as they are in the folder. */
export interface RepairReport {
  dir: string;
  /** Whether the folder is damaged. A torn end, which a crash leaves, is no damage. */
  damaged: boolean;
  /** The newest usable snapshot, which a learner resumes from, and the last record that it includes. */
  snapshot: { file: string; record: number };
  /** The last record that a learner reaches from there. */
  lastRecord: number;
  /** A last record that is incomplete or cannot be applied: it was never acknowledged, and open() removes it. */
  torn: { file: string; offset: number; reason: string; bytes: number } | null;
  /** The first damage to the journal, or the first record that cannot be applied, and everything that is lost with it. */
  journal: JournalLoss | null;
  /** Newer snapshots that cannot be used. Nothing is lost with them, since the journal is longer. */
  snapshots: { file: string; reason: string; bytes: number }[];
  /** Versions whose files are missing or damaged. */
  versions: VersionDamage[];
  quarantine: QuarantineDamage[];
  /** Whether the records were applied as open() applies them, which takes the model. */
  replayed: boolean;
  /** The folder to which the lost files were moved; null: nothing was changed. */
  movedTo: string | null;
}

/** Records of the journal that a repair loses. */
export interface JournalLoss {
  file: string;
  offset: number;
  reason: string;
  /** Number of the first lost record. */
  firstRecord: number;
  /** Number of the last lost record that can be recognised; null: none can. */
  lastRecord: number | null;
  /** Lost records that are recognised by their checksums. */
  records: number;
  /** New samples in those records. */
  samples: number;
  /** Files of the journal after the damaged one. */
  laterFiles: string[];
  /** Bytes from the damage to the end, later files included. */
  bytes: number;
}

export interface VersionDamage {
  version: number;
  file: string;
  reason: string;
  bytes: number;
  /** Whether this version serves. */
  serves: boolean;
  /**
   * `'remade'`: exactly its bits are reproduced, a version from the journal, a manifest from the snapshot. `'lost'`: it can no longer be
   * rolled back to; if it serves, the newest version that can be loaded serves under its number, or else the weights of the snapshot.
   */
  fate: 'remade' | 'lost';
}

/** Damage of the file of quarantined samples. */
export interface QuarantineDamage {
  file: string;
  /** Byte at which the first bad line starts. */
  offset: number;
  reason: string;
  /** Bad lines, and their bytes. */
  lines: number;
  bytes: number;
}
