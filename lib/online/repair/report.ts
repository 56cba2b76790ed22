// Report of a repair: the damage to a learner's folder, and what is lost with it.

/** Files are named as they are in the folder. */
export interface RepairReport {
  dir: string;
  /** Whether anything is. What a crash leaves is no damage. */
  damaged: boolean;
  /** The newest snapshot that can be used, and the last record that it includes: a learner resumes from there. */
  snapshot: { file: string; record: number };
  /** The last record that a learner gets to from there. */
  lastRecord: number;
  /** A last record that was cut short or cannot be applied: nobody was told that it was kept, and open() cuts it off. */
  torn: { file: string; offset: number; reason: string; bytes: number } | null;
  /** Where the journal is damaged first, or has a record that cannot be applied, and all that is lost with it. */
  journal: JournalLoss | null;
  /** Newer snapshots that cannot be used. Nothing is lost with them: a longer journal is as good. */
  snapshots: { file: string; reason: string; bytes: number }[];
  /** Versions whose files are missing or damaged. */
  versions: VersionDamage[];
  quarantine: QuarantineDamage[];
  /** Whether all records were applied for this, as open() applies them; that takes the model. */
  replayed: boolean;
  /** The folder that what is lost was moved to; null: nothing was changed. */
  movedTo: string | null;
}

export interface JournalLoss {
  file: string;
  offset: number;
  reason: string;
  /** Number of the first record that is lost. */
  firstRecord: number;
  /** Number of the last one that can still be recognised; null: none can. */
  lastRecord: number | null;
  /** Whole records from there on, recognised by their checksums. */
  records: number;
  /** New samples that those hold. */
  samples: number;
  /** Files of the journal after the damaged one. */
  laterFiles: string[];
  /** From the damage to the end, later files included. */
  bytes: number;
}

export interface VersionDamage {
  version: number;
  file: string;
  reason: string;
  bytes: number;
  /** Whether it is the one that serves. */
  serves: boolean;
  /**
   * `'remade'`: its very bits are made again, from the journal or, a manifest, from the snapshot. `'lost'`: it can no longer be rolled
   * back to; if it serves, the newest version that can be loaded serves under its number, or else the weights of the snapshot.
   */
  fate: 'remade' | 'lost';
}

export interface QuarantineDamage {
  file: string;
  /** Where the first bad line begins. */
  offset: number;
  reason: string;
  /** Bad lines, and their bytes. */
  lines: number;
  bytes: number;
}
