-- Limit orders, what the book promised, resting stops, fees in any currency, and reports of orders that
-- really went out.

ALTER TABLE signals
    ADD COLUMN IF NOT EXISTS `kind` String DEFAULT 'market' AFTER `reason`,
    ADD COLUMN IF NOT EXISTS `limit` Nullable(Float64) AFTER `kind`,
    ADD COLUMN IF NOT EXISTS `good_for` Int64 AFTER `limit`;

ALTER TABLE orders
    ADD COLUMN IF NOT EXISTS `kind` String DEFAULT 'market' AFTER `why`,
    ADD COLUMN IF NOT EXISTS `price` Nullable(Decimal(76, 38)) AFTER `kind`,
    ADD COLUMN IF NOT EXISTS `expires` Nullable(DateTime64(9, 'UTC')) AFTER `price`,
    ADD COLUMN IF NOT EXISTS `stop` Nullable(Float64) AFTER `expires`,
    ADD COLUMN IF NOT EXISTS `expected` Nullable(Decimal(76, 38)) AFTER `stop`,
    ADD COLUMN IF NOT EXISTS `worst` Nullable(Decimal(76, 38)) AFTER `expected`,
    ADD COLUMN IF NOT EXISTS `slippage_bps` Nullable(Float64) AFTER `worst`,
    ADD COLUMN IF NOT EXISTS `depth_left` Nullable(Decimal(76, 38)) AFTER `slippage_bps`;

ALTER TABLE fills
    ADD COLUMN IF NOT EXISTS `fee_currency` String AFTER `fee`,
    ADD COLUMN IF NOT EXISTS `trade_id` String AFTER `fee_currency`;

ALTER TABLE closed
    ADD COLUMN IF NOT EXISTS `funding` Decimal(76, 38) AFTER `net_return`,
    ADD COLUMN IF NOT EXISTS `other_fees` String AFTER `funding`;

ALTER TABLE reports
    ADD COLUMN IF NOT EXISTS `run` String AFTER `received`,
    ADD COLUMN IF NOT EXISTS `position` Int64 AFTER `run`,
    ADD COLUMN IF NOT EXISTS `purpose` String AFTER `position`,
    ADD COLUMN IF NOT EXISTS `number` Int64 DEFAULT -1 AFTER `purpose`;
