"""What several tests share: synthetic faces, coded clips, readers and judges of recordings."""
