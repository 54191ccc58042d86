-- Whether an exchange tells several trades as one, so that ids jump and nothing is missing.

ALTER TABLE instruments ADD COLUMN IF NOT EXISTS `summed` Bool DEFAULT false AFTER `taker_fee`;
