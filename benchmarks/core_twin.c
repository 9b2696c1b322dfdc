/* The loop of `workbench.core.batch.run_bars`, written by hand in C for one spot symbol.

   It works on the very records of the core (records.py): the structs below have their fields in the same order, all of
   eight bytes. After a run account, symbol and equity can therefore be compared byte by byte.

   Covered: fees, slippage, tick and lot rounding, stop, target, trailing stop with activation, holding time, loss per
   trade, both breakers, review of entries, cooldown, all paths, the run over quiet bars. Left out, because the flow of
   the benchmark never reaches them: orders at an exchange, funding, margin of perpetuals, resting limit and stop orders,
   exits in part, sizes other than the default, several symbols, the trace, and the rows of a log, which is empty here.

   Build with -ffp-contract=off: a fused multiply-add would round once where the core rounds twice. */

#include <math.h>
#include <stdint.h>

typedef int64_t i64;
typedef double f64;

enum { LIQUIDATION, MAX_DRAWDOWN, DAILY_LOSS, FLATTEN, STOP_LOSS, TRAILING_STOP, MAX_LOSS, TAKE_PROFIT, MAX_HOLDING,
       SIGNAL, NO_REASON };
enum { ALLOWED = -1, INVALID_SIZE, INVALID_LEVEL, HALTED, PAUSED, COOLDOWN, SHORT_ON_SPOT, MAX_ORDERS_PER_MINUTE,
       PRICE_COLLAR, MIN_NOTIONAL, MAX_ORDER_NOTIONAL, MAX_POSITION_NOTIONAL, MAX_LEVERAGE, INSUFFICIENT_FUNDS };
enum { NO_ORDER, MARKET, LIMIT, STOP };
enum { ADVERSE, FAVOURABLE, COLOUR, OHLC, OLHC };
enum { NO_ROW, FILL_ROW, TRADE_ROW, DENIAL_ROW, TRIP_ROW };
enum { HOLD, ENTER_LONG, ENTER_SHORT, EXIT };
enum { NOTHING, PROTECTION, TARGET };

static const i64 NEVER = INT64_MAX;
static const i64 DAY_NS = 86400000000000LL;
static const i64 MINUTE_NS = 60000000000LL;
static const f64 EPSILON = 1e-6;
static const f64 TOLERANCE = 1.0 + 1e-9;
static const f64 DUST = 1e-9;

typedef struct {
    f64 lot, lots_per_unit, tick, ticks_per_unit, min_notional, taker_fee, maker_fee, max_leverage, maintenance_margin;
    i64 is_spot;
} Instrument;

typedef struct {
    f64 slippage, stop_loss, take_profit, trailing_stop, trailing_activate_at, trailing_distance_after;
    i64 max_holding_ns;
    f64 max_loss, max_drawdown, daily_loss, max_position_notional, max_order_notional, max_leverage;
    i64 max_orders_per_minute;
    f64 price_collar;
    i64 cooldown_ns, timeframe_ns, path, is_external, is_exact;
} Config;

typedef struct {
    f64 cash, equity, equity_peak;
    i64 day;
    f64 day_base, realized, fees, funding, start_cash;
    i64 halted, paused, minute, minute_orders, phase, time_ns, decisions;
    i64 fill_count, trade_count, denial_count, trip_count, request_count, winning_trades;
    f64 gross_profit, gross_loss;
    i64 open_bars;
} Account;

typedef struct {
    Instrument instrument;
    f64 quantity, entry_price;
    i64 entry_time_ns;
    f64 entry_fees, funding;
    i64 bars_held;
    f64 lowest, highest;
    f64 peak, activation, trail_distance, stop_level, trail_level, loss_level, near, target;
    i64 time_limit_ns;
    f64 last, reference;
    i64 last_time_ns, last_phase, first_low;
    i64 exit_reason;
    f64 exit_size;
    i64 exit_sizing;
    f64 exit_limit;
    i64 entry_side;
    i64 sizing;
    f64 size, limit, stop, stop_loss, take_profit, trailing_stop, max_holding_s;
    i64 order_kind, order_side, order_is_exit;
    f64 order_quantity, order_price, order_stop_loss, order_take_profit, order_trailing_stop, order_max_holding_s;
    f64 bracket_stop_loss, bracket_take_profit, bracket_trailing_stop, bracket_max_holding_s, entry_equity;
    i64 blocked, cooldown_until_ns, entered_in_leg;
    f64 exit_in_flight;
    i64 exit_request, exit_request_reason;
    f64 entry_in_flight;
    i64 entry_request, entry_is_resting;
} Symbol;

typedef struct {
    i64 kind, sequence, symbol, side, code, flag, time_ns, start_ns;
    f64 quantity, price, fee, value, entry, return_, funding, mae, mfe, stop, target;
} LogRow;

typedef struct {
    Account *a;
    const Config *g;
    Symbol *y;
    LogRow *sink;
} Book;

typedef struct {
    const i64 *restrict times;
    const f64 *restrict open, *restrict high, *restrict low, *restrict close;
    const uint8_t *restrict codes;
    f64 *restrict equity;
} Tape;

typedef struct { f64 low, high; } Span;
typedef struct { i64 rule; f64 quantity, limit, value; } Verdict;

static inline f64 min2(f64 a, f64 b) { return b < a ? b : a; }
static inline f64 max2(f64 a, f64 b) { return b > a ? b : a; }
static inline i64 least(i64 a, i64 b) { return b < a ? b : a; }

/* ------------------------------------------------------------------------------------------------------- rounding */

static f64 round_down(f64 value, f64 step, f64 per_unit) {
    if (step <= 0.0 || !isfinite(value)) return value;
    if (per_unit > 0.0) return floor(value * per_unit + EPSILON) / per_unit;
    return floor(value / step + EPSILON) * step;
}

static f64 round_up(f64 value, f64 step, f64 per_unit) {
    if (step <= 0.0 || !isfinite(value)) return value;
    if (per_unit > 0.0) return ceil(value * per_unit - EPSILON) / per_unit;
    return ceil(value / step - EPSILON) * step;
}

static f64 worse_price(const Instrument *n, f64 price, i64 side) {
    return side > 0 ? round_up(price, n->tick, n->ticks_per_unit) : round_down(price, n->tick, n->ticks_per_unit);
}

static f64 slipped_price(const Book *b, f64 price, i64 side) {
    return worse_price(&b->y->instrument, price * (1.0 + side * b->g->slippage), side);
}

static f64 lot_quantity(const Instrument *n, f64 quantity) { return round_down(quantity, n->lot, n->lots_per_unit); }

/* --------------------------------------------------------------------------------------------------------- levels */

static f64 nearer(f64 first, f64 second) {
    if (!(first > 0.0)) return max2(0.0, second);
    if (!(second > 0.0)) return first;
    return min2(first, second);
}

static f64 config_trail_distance(const Symbol *y, const Config *g, i64 side) {
    if (!(g->trailing_activate_at >= 0.0)) return g->trailing_stop;
    if (side * y->peak >= side * y->activation)
        return g->trailing_distance_after > 0.0 ? g->trailing_distance_after : g->trailing_stop;
    return g->trailing_distance_after > 0.0 ? g->trailing_stop : 0.0;
}

static void trail(const Book *b) {
    Symbol *y = b->y;
    i64 side = y->quantity > 0.0 ? 1 : -1;
    f64 distance = nearer(config_trail_distance(y, b->g, side), y->trail_distance);
    if (distance > 0.0) y->trail_level = worse_price(&y->instrument, y->peak * (1.0 - side * distance), -side);
    else y->trail_level = side > 0 ? 0.0 : INFINITY;
    if (side > 0) y->near = max2(max2(y->stop_level, y->trail_level), y->loss_level);
    else y->near = min2(min2(y->stop_level, y->trail_level), y->loss_level);
}

static void protect(const Book *b) {
    Symbol *y = b->y;
    const Config *g = b->g;
    const Instrument *n = &y->instrument;
    int is_long = y->quantity > 0.0;
    i64 side = is_long ? 1 : -1;
    f64 entry = y->entry_price;
    f64 off = is_long ? 0.0 : INFINITY;
    f64 distance = nearer(g->stop_loss, y->bracket_stop_loss);
    y->stop_level = distance > 0.0 ? worse_price(n, entry * (1.0 - side * distance), -side) : off;
    y->loss_level = off;
    if (g->max_loss > 0.0)
        y->loss_level = worse_price(n, entry - side * g->max_loss * y->entry_equity / fabs(y->quantity), -side);
    distance = nearer(g->take_profit, y->bracket_take_profit);
    y->target = is_long ? INFINITY : 0.0;
    if (distance > 0.0) y->target = worse_price(n, entry * (1.0 + side * distance), side);
    y->trail_distance = nearer(y->bracket_trailing_stop, 0.0);
    y->activation = g->trailing_activate_at >= 0.0 ? entry * (1.0 + side * g->trailing_activate_at) : 0.0;
    y->time_limit_ns = NEVER;
    if (g->max_holding_ns > 0) y->time_limit_ns = y->entry_time_ns + g->max_holding_ns;
    if (y->bracket_max_holding_s > 0.0)
        y->time_limit_ns = least(y->time_limit_ns, y->entry_time_ns + (i64)(y->bracket_max_holding_s * 1e9));
    trail(b);
}

static i64 near_reason(const Symbol *y, f64 price) {
    i64 side = y->quantity > 0.0 ? 1 : -1;
    f64 stop = side * y->stop_level, trailing = side * y->trail_level;
    if (side * price > max2(stop, trailing)) return MAX_LOSS;
    return stop >= trailing ? STOP_LOSS : TRAILING_STOP;
}

static inline void see_price(const Book *b, f64 price) {
    Symbol *y = b->y;
    f64 held = y->quantity;
    if (held == 0.0) return;
    y->lowest = min2(y->lowest, price);
    y->highest = max2(y->highest, price);
    if ((held > 0.0 && price > y->peak) || (held < 0.0 && price < y->peak)) {
        y->peak = price;
        trail(b);
    }
}

static void clear_position(Symbol *y) {
    y->quantity = y->entry_price = 0.0;
    y->entry_time_ns = 0;
    y->entry_fees = y->funding = 0.0;
    y->bars_held = 0;
    y->lowest = y->highest = y->peak = y->activation = y->trail_distance = 0.0;
    y->stop_level = y->trail_level = y->loss_level = y->near = y->target = 0.0;
    y->time_limit_ns = NEVER;
    y->exit_reason = NO_REASON;
}

/* ----------------------------------------------------------------------------------------------------- accounting */

static LogRow *log_row(const Book *b, i64 kind, i64 side, i64 time_ns) {
    LogRow *r = b->sink;
    r->kind = kind;
    r->symbol = 0;
    r->side = side;
    r->time_ns = time_ns;
    return r;
}

static void record_trade(const Book *b, f64 pnl) {
    Account *a = b->a;
    a->trade_count += 1;
    if (pnl > 0.0) {
        a->winning_trades += 1;
        a->gross_profit += pnl;
    } else {
        a->gross_loss -= pnl;
    }
}

static f64 left_over(const Symbol *y, f64 quantity) {
    f64 lot = y->instrument.lot, per_unit = y->instrument.lots_per_unit;
    if (lot > 0.0) return per_unit > 0.0 ? nearbyint(quantity * per_unit) / per_unit : nearbyint(quantity / lot) * lot;
    return fabs(quantity) <= 1e-12 * fabs(y->quantity) ? 0.0 : quantity;
}

static void reduce(const Book *b, f64 signed_, f64 price, f64 fee, i64 time_ns, i64 reason) {
    Symbol *y = b->y;
    f64 held = y->quantity, quantity = fabs(signed_), side = held > 0.0 ? 1.0 : -1.0;
    f64 share = quantity / fabs(held);
    f64 gross = side * (price - y->entry_price) * quantity;
    f64 entry_fees = y->entry_fees * share, funding = y->funding * share;
    b->a->realized += gross;
    y->lowest = min2(y->lowest, price);
    y->highest = max2(y->highest, price);
    f64 pnl = gross - entry_fees - fee - funding;
    record_trade(b, pnl);
    f64 left = left_over(y, held + signed_);
    if (left == 0.0) {
        clear_position(y);
    } else {
        y->quantity = left;
        y->entry_fees -= entry_fees;
        y->funding -= funding;
    }
}

static void increase(const Book *b, f64 signed_, f64 price, f64 fee, i64 time_ns) {
    Symbol *y = b->y;
    f64 held = y->quantity;
    if (held == 0.0) {
        y->entry_price = price;
        y->entry_time_ns = time_ns;
        y->entry_fees = fee;
        y->funding = 0.0;
        y->bars_held = 0;
        y->lowest = y->highest = y->peak = price;
        y->quantity = signed_;
    } else {
        f64 total = held + signed_;
        y->entry_price = (y->entry_price * held + price * signed_) / total;
        y->entry_fees += fee;
        y->quantity = total;
    }
    protect(b);
}

static void book_fill(const Book *b, f64 signed_, f64 price, f64 fee, i64 time_ns, i64 reason, i64 is_maker) {
    Account *a = b->a;
    a->cash -= signed_ * price + fee;
    a->fees += fee;
    a->fill_count += 1;
    if (b->y->quantity * signed_ < 0.0) reduce(b, signed_, price, fee, time_ns, reason);
    else increase(b, signed_, price, fee, time_ns);
}

static void apply_fill(const Book *b, f64 signed_, f64 price, f64 fee, i64 time_ns, i64 reason, i64 is_maker) {
    f64 held = b->y->quantity;
    if (held * signed_ < 0.0 && fabs(signed_) > fabs(held)) {
        f64 share = fabs(held) / fabs(signed_);
        book_fill(b, -held, price, fee * share, time_ns, reason, is_maker);
        book_fill(b, signed_ + held, price, fee * (1.0 - share), time_ns, reason, is_maker);
    } else {
        book_fill(b, signed_, price, fee, time_ns, reason, is_maker);
    }
}

/* --------------------------------------------------------------------------------------------------------- review */

static inline f64 equity_now(const Book *b) { return b->a->cash + b->y->quantity * b->y->last; }

static int has_valid_levels(const Symbol *y) {
    return (isnan(y->limit) || isnan(y->stop)) && !(y->limit <= 0.0 || y->limit == INFINITY) &&
           !(y->stop <= 0.0 || y->stop == INFINITY) && !(y->stop_loss <= 0.0 || y->stop_loss >= 1.0) &&
           !(y->take_profit <= 0.0 || y->take_profit == INFINITY) &&
           !(y->trailing_stop <= 0.0 || y->trailing_stop >= 1.0) &&
           !(y->max_holding_s <= 0.0 || y->max_holding_s == INFINITY);
}

static f64 sized_quantity(const Book *b, f64 price, f64 fee) {
    const Config *g = b->g;
    f64 leverage = min2(g->max_leverage, b->y->instrument.max_leverage);
    f64 most = leverage * equity_now(b);
    f64 free = most - 0.0;
    f64 full = 0.0;
    if (free > DUST * most) {
        f64 cash = b->a->cash;
        full = free / (price * (1.0 + leverage * fee));
        full = cash > DUST * most ? min2(full, cash / (price * (1.0 + fee))) : 0.0;
        full = max2(full, 0.0);
    }
    return min2(min2(full, g->max_order_notional / price), g->max_position_notional / price);
}

static Verdict gate(const Book *b, i64 side, i64 time_ns) {
    Account *a = b->a;
    const Symbol *y = b->y;
    const Config *g = b->g;
    if (a->halted != 0) return (Verdict){HALTED, 0.0, 0.0, (f64)a->halted};
    if (a->paused != 0) return (Verdict){PAUSED, 0.0, 0.0, 1.0};
    if (time_ns < y->cooldown_until_ns)
        return (Verdict){COOLDOWN, 0.0, g->cooldown_ns / 1e9, (y->cooldown_until_ns - time_ns) / 1e9};
    if (side < 0) return (Verdict){SHORT_ON_SPOT, 0.0, 0.0, -1.0};
    i64 minute = time_ns / MINUTE_NS;
    if (a->minute != minute) {
        a->minute = minute;
        a->minute_orders = 0;
    }
    if (g->max_orders_per_minute > 0 && a->minute_orders >= g->max_orders_per_minute)
        return (Verdict){MAX_ORDERS_PER_MINUTE, 0.0, (f64)g->max_orders_per_minute, (f64)(a->minute_orders + 1)};
    f64 limit = g->price_collar;
    if (limit > 0.0 && y->reference > 0.0) {
        f64 away = fabs(y->last / y->reference - 1.0);
        if (away > limit) return (Verdict){PRICE_COLLAR, 0.0, limit, away};
    }
    return (Verdict){ALLOWED, 0.0, 0.0, 0.0};
}

static f64 affordable(const Book *b, f64 quantity, f64 price, f64 fee) {
    const Instrument *n = &b->y->instrument;
    f64 cash = b->a->cash;
    quantity = lot_quantity(n, quantity);
    for (int k = 0; k < 4; k++) {
        if (cash - (quantity * price + quantity * price * fee) >= 0.0 || quantity * price > cash * TOLERANCE) break;
        quantity = n->lot > 0.0 ? lot_quantity(n, quantity - n->lot) : quantity * (1.0 - 4e-16);
    }
    return max2(quantity, 0.0);
}

static Verdict caps(const Book *b, i64 side, f64 quantity, f64 price, f64 fee) {
    const Config *g = b->g;
    const Instrument *n = &b->y->instrument;
    f64 held = max2(0.0, side * b->y->quantity) * price;
    f64 notional = quantity * price;
    if (quantity <= 0.0 || notional < n->min_notional)
        return (Verdict){MIN_NOTIONAL, quantity, n->min_notional, notional};
    if (notional > g->max_order_notional * TOLERANCE)
        return (Verdict){MAX_ORDER_NOTIONAL, quantity, g->max_order_notional, notional};
    if (held + notional > g->max_position_notional * TOLERANCE)
        return (Verdict){MAX_POSITION_NOTIONAL, quantity, g->max_position_notional, held + notional};
    f64 leverage = min2(g->max_leverage, n->max_leverage);
    f64 equity = equity_now(b);
    f64 used = 0.0 + held + notional;
    if (used > leverage * (equity - notional * fee) * TOLERANCE)
        return (Verdict){MAX_LEVERAGE, quantity, leverage, equity > 0.0 ? used / equity : INFINITY};
    if (notional * (1.0 + fee) > b->a->cash * TOLERANCE)
        return (Verdict){INSUFFICIENT_FUNDS, quantity, b->a->cash, notional * (1.0 + fee)};
    return (Verdict){ALLOWED, quantity, 0.0, 0.0};
}

static Verdict review_entry(const Book *b, i64 side, f64 price, i64 time_ns) {
    Symbol *y = b->y;
    f64 fee = y->instrument.taker_fee;
    if (!has_valid_levels(y)) return (Verdict){INVALID_LEVEL, 0.0, 0.0, NAN};
    f64 wanted = sized_quantity(b, price, fee);
    if (isnan(wanted)) return (Verdict){INVALID_SIZE, 0.0, 0.0, y->size};
    Verdict v = gate(b, side, time_ns);
    f64 quantity = affordable(b, wanted, price, fee);
    v.quantity = quantity;
    if (v.rule == ALLOWED) v = caps(b, side, quantity, price, fee);
    if (v.rule == ALLOWED) b->a->minute_orders += 1;
    return v;
}

/* ------------------------------------------------------------------------------------------------------ execution */

static void exit_at(const Book *b, f64 quantity, f64 price, i64 time_ns, i64 reason, i64 kind) {
    Symbol *y = b->y;
    i64 side = y->quantity > 0.0 ? -1 : 1;
    if (kind == LIMIT) {
        apply_fill(b, side * quantity, price, quantity * price * y->instrument.maker_fee, time_ns, reason, 1);
    } else {
        f64 fill_price = slipped_price(b, price, side);
        f64 fee = quantity * fill_price * y->instrument.taker_fee;
        apply_fill(b, side * quantity, fill_price, fee, time_ns, reason, 0);
    }
    if (reason != SIGNAL) {
        y->blocked = 1;
        y->entry_side = 0;
        y->exit_reason = NO_REASON;
        if (reason == STOP_LOSS || reason == TRAILING_STOP || reason == MAX_LOSS || reason == LIQUIDATION)
            y->cooldown_until_ns = time_ns + b->g->cooldown_ns;
    }
}

static void place_entry(const Book *b, f64 price, i64 time_ns) {
    Symbol *y = b->y;
    i64 side = y->entry_side;
    y->entry_side = 0;
    f64 order_price = slipped_price(b, price, side);
    if (y->quantity != 0.0) {
        exit_at(b, fabs(y->quantity), price, time_ns, SIGNAL, MARKET);
        if (y->quantity != 0.0) return;
    }
    Verdict v = review_entry(b, side, order_price, time_ns);
    if (v.rule != ALLOWED) {
        b->a->denial_count += 1;
        LogRow *r = log_row(b, DENIAL_ROW, side, time_ns);
        r->code = v.rule;
        r->quantity = v.quantity;
        r->entry = v.limit;
        r->value = v.value;
        return;
    }
    y->bracket_stop_loss = y->stop_loss;
    y->bracket_take_profit = y->take_profit;
    y->bracket_trailing_stop = y->trailing_stop;
    y->bracket_max_holding_s = y->max_holding_s;
    y->entry_equity = equity_now(b);
    f64 signed_ = side * v.quantity;
    f64 fee = fabs(signed_) * order_price * y->instrument.taker_fee;
    apply_fill(b, signed_, order_price, fee, time_ns, SIGNAL, 0);
}

/* ---------------------------------------------------------------------------------------------------------- steps */

static inline void see_market(const Book *b, f64 price, i64 time_ns) {
    Symbol *y = b->y;
    y->reference = y->last;
    y->last = price;
    y->last_time_ns = time_ns;
    y->last_phase = b->a->phase;
    b->a->time_ns = time_ns;
}

/* On spot nothing is liquidated: the level lies where no price can reach it. */
static inline f64 liquidation_level(const Symbol *y) { return y->quantity > 0.0 ? 0.0 : INFINITY; }

static inline void jump_exits(const Book *b, f64 price, i64 time_ns) {
    see_market(b, price, time_ns);
    Symbol *y = b->y;
    if (y->quantity == 0.0) return;
    i64 side = y->quantity > 0.0 ? 1 : -1;
    i64 reason = NO_REASON, kind = MARKET;
    if (side * price <= side * liquidation_level(y)) {
        reason = LIQUIDATION;
    } else if (y->exit_reason <= FLATTEN) {
        reason = y->exit_reason;
    } else if (side * price <= side * y->near) {
        reason = near_reason(y, price);
    } else if (side * price >= side * y->target) {
        reason = TAKE_PROFIT;
        kind = LIMIT;
    } else if (time_ns >= y->time_limit_ns || y->exit_reason == MAX_HOLDING) {
        reason = MAX_HOLDING;
    }
    if (reason != NO_REASON) exit_at(b, fabs(y->quantity), price, time_ns, reason, kind);
    if (y->quantity == 0.0) return;
    if (y->exit_reason == SIGNAL) {
        y->exit_reason = NO_REASON;
        exit_at(b, fabs(y->quantity), price, time_ns, SIGNAL, MARKET);
    }
}

static inline void jump_entries(const Book *b, f64 price, i64 time_ns) {
    Symbol *y = b->y;
    f64 before = y->quantity;
    if (y->blocked == 0 && y->entry_side != 0) place_entry(b, price, time_ns);
    if (before * y->quantity > 0.0) see_price(b, price);
}

static i64 next_trigger(const Book *b, f64 cur, f64 end, f64 *price) {
    const Symbol *y = b->y;
    f64 way = end > cur ? 1.0 : -1.0;
    f64 start = way * cur, best = way * end;
    i64 kind = NOTHING;
    f64 held = y->quantity;
    if (held != 0.0) {
        f64 side = held > 0.0 ? 1.0 : -1.0;
        if (side * way < 0.0) {
            f64 level = max2(way * y->near, start);
            if (level <= best) {
                best = level;
                kind = PROTECTION;
            }
        } else if (side * cur <= side * y->near) {
            *price = cur;
            return PROTECTION;
        } else {
            f64 level = max2(way * y->target, start);
            if (level <= best) {
                best = level;
                kind = TARGET;
            }
        }
    }
    *price = way * best;
    return kind;
}

static void leg(const Book *b, f64 end, i64 time_ns) {
    Symbol *y = b->y;
    f64 cur = y->last;
    b->a->time_ns = time_ns;
    for (int k = 0; k < 6; k++) {
        f64 price;
        i64 kind = next_trigger(b, cur, end, &price);
        if (kind == NOTHING) break;
        y->last = price;
        if (kind == TARGET) exit_at(b, fabs(y->quantity), price, time_ns, TAKE_PROFIT, LIMIT);
        else exit_at(b, fabs(y->quantity), price, time_ns, near_reason(y, price), STOP);
        cur = price;
    }
    see_market(b, end, time_ns);
    see_price(b, end);
}

static inline void move(const Book *b, f64 end, i64 time_ns) {
    Symbol *y = b->y;
    f64 held = y->quantity;
    int is_free = 1;
    if (held != 0.0) {
        f64 side = held > 0.0 ? 1.0 : -1.0;
        f64 worst = min2(side * y->last, side * end);
        is_free = worst > side * y->near && side * end < side * y->target;
    }
    if (is_free) {
        see_market(b, end, time_ns);
        see_price(b, end);
    } else {
        leg(b, end, time_ns);
    }
}

static void trip(const Book *b, i64 reason, i64 bit, f64 limit, f64 value) {
    b->a->halted |= bit;
    b->a->trip_count += 1;
    LogRow *r = log_row(b, TRIP_ROW, 0, b->a->time_ns);
    r->code = reason;
    r->entry = limit;
    r->value = value;
    b->y->entry_side = 0;
    if (b->y->quantity != 0.0) b->y->exit_reason = least(b->y->exit_reason, reason);
}

static inline void mark(const Book *b, i64 time_ns, int is_close) {
    Account *a = b->a;
    const Config *g = b->g;
    Symbol *y = b->y;
    i64 day = time_ns / DAY_NS;
    if (day != a->day) {
        a->day = day;
        a->day_base = a->equity;
    }
    f64 equity = equity_now(b);
    a->equity = equity;
    a->equity_peak = max2(a->equity_peak, equity);
    if (a->halted != 0) return;
    if (g->max_drawdown > 0.0 && equity <= a->equity_peak * (1.0 - g->max_drawdown))
        trip(b, MAX_DRAWDOWN, 1, g->max_drawdown, 1.0 - equity / a->equity_peak);
    else if (g->daily_loss > 0.0 && equity <= a->day_base * (1.0 - g->daily_loss))
        trip(b, DAILY_LOSS, 2, g->daily_loss, 1.0 - equity / a->day_base);
    else
        return;
    if (is_close) return;
    if (y->quantity != 0.0 && y->last_phase == a->phase)
        exit_at(b, fabs(y->quantity), y->last, time_ns, y->exit_reason, MARKET);
    a->equity = equity_now(b);
}

static inline int first_extreme_is_low(const Symbol *y, i64 path, int is_green) {
    if (path == ADVERSE) return y->quantity >= 0.0;
    if (path == FAVOURABLE) return y->quantity < 0.0;
    if (path == COLOUR) return is_green;
    return path == OLHC;
}

/* ------------------------------------------------------------------------------------------------------ decisions */

static i64 action_of(i64 code, f64 quantity) {
    int long_in = (code & 1) != 0, long_out = (code & 2) != 0, short_in = (code & 4) != 0, short_out = (code & 8) != 0;
    if (quantity > 0.0) {
        if (short_in && !long_in && !short_out) return ENTER_SHORT;
        return long_out ? EXIT : HOLD;
    }
    if (quantity < 0.0) {
        if (long_in && !short_in && !long_out) return ENTER_LONG;
        return short_out ? EXIT : HOLD;
    }
    if (long_in && !long_out && !short_in) return ENTER_LONG;
    if (short_in && !short_out && !long_in) return ENTER_SHORT;
    return HOLD;
}

static void decide_code(const Book *b, i64 code, const f64 *levels, i64 columns, i64 column) {
    Symbol *y = b->y;
    f64 held = y->quantity;
    if (held == 0.0 && ((y->entry_side > 0 && (code & 2) != 0) || (y->entry_side < 0 && (code & 8) != 0)))
        y->entry_side = 0;
    i64 action = action_of(code, held);
    if (action == HOLD || (action == EXIT && held == 0.0 && y->entry_side == 0)) return;
    if (columns == 1) column = 0;
    b->a->decisions += 1;
    if (action == EXIT) {
        y->entry_side = 0;
        if (held != 0.0) {
            y->exit_reason = least(y->exit_reason, SIGNAL);
            y->exit_sizing = 0;
            y->exit_size = NAN;
            y->exit_limit = NAN;
        }
        return;
    }
    i64 side = action == ENTER_LONG ? 1 : -1;
    if (held * side > 0.0) return;
    y->entry_side = side;
    y->size = levels[0 * columns + column];
    y->limit = levels[1 * columns + column];
    y->stop = levels[2 * columns + column];
    y->stop_loss = levels[3 * columns + column];
    y->take_profit = levels[4 * columns + column];
    y->trailing_stop = levels[5 * columns + column];
    y->max_holding_s = levels[6 * columns + column];
    y->sizing = (i64)levels[7 * columns + column];
    if (held != 0.0) {
        y->exit_reason = least(y->exit_reason, SIGNAL);
        y->exit_sizing = 0;
        y->exit_limit = NAN;
    }
}

/* ---------------------------------------------------------------------------------------------------------- batch */

static void open_events(const Book *b, const Tape *t, i64 i) {
    i64 time_ns = t->times[i];
    f64 open = t->open[i];
    b->a->phase += 1;
    if (open == open) {
        jump_exits(b, open, time_ns);
        jump_entries(b, open, time_ns);
    }
    mark(b, time_ns, 0);
}

static void rest_events(const Book *b, const Tape *t, i64 i) {
    Account *a = b->a;
    Symbol *y = b->y;
    i64 time_ns = t->times[i], close_ns = time_ns + b->g->timeframe_ns;
    f64 open = t->open[i], high = t->high[i], low = t->low[i], close = t->close[i];
    int is_there = open == open;
    a->phase += 1;
    if (is_there) {
        int low_first = first_extreme_is_low(y, b->g->path, close >= open);
        y->first_low = low_first;
        move(b, low_first ? low : high, time_ns);
    }
    mark(b, time_ns, 0);
    a->phase += 1;
    if (is_there) {
        y->entered_in_leg = 0;
        move(b, y->first_low == 1 ? high : low, time_ns);
    }
    mark(b, time_ns, 0);
    a->phase += 1;
    if (is_there) {
        move(b, close, close_ns);
        if (y->quantity != 0.0 && close_ns >= y->time_limit_ns) y->exit_reason = least(y->exit_reason, MAX_HOLDING);
    }
    mark(b, close_ns, 1);
}

static inline Span quiet_span(const Symbol *y) {
    f64 margin = liquidation_level(y);
    if (y->quantity > 0.0) return (Span){max2(y->near, margin), y->target};
    return (Span){y->target, min2(y->near, margin)};
}

static inline int have_no_code(const Tape *t, i64 row) {
    const uint8_t *c = t->codes + row;
    return (c[0] | c[1] | c[2] | c[3]) == 0;
}

static inline i64 flat_run(const Book *b, const Tape *t, i64 begin, i64 end, i64 until) {
    Account *a = b->a;
    f64 cash = a->cash;
    i64 row = begin, code = 0;
    while (row + 4 <= end && t->times[row + 3] < until && have_no_code(t, row)) row += 4;
    while (row < end && code == 0 && t->times[row] < until) code = t->codes[row++];
    while (row > begin && isnan(t->close[row - 1])) row--;
    for (i64 k = begin; k < row; k++) t->equity[k] = cash;
    if (row > begin) {
        a->equity_peak = max2(a->equity_peak, cash);
        a->equity = cash;
    }
    return row;
}

static inline i64 held_run(const Book *b, const Tape *t, i64 begin, i64 end, i64 until) {
    Account *a = b->a;
    Symbol *y = b->y;
    const Config *g = b->g;
    f64 cash = a->cash, held = y->quantity, equity_peak = a->equity_peak;
    int is_long = held > 0.0;
    Span span = quiet_span(y);
    f64 drawdown = a->halted == 0 ? g->max_drawdown : 0.0, daily_loss = a->halted == 0 ? g->daily_loss : 0.0;
    int breaks = drawdown > 0.0 || daily_loss > 0.0;
    f64 daily_floor = a->day_base * (1.0 - daily_loss);
    int trails = y->trail_distance > 0.0 || g->trailing_stop > 0.0 || g->trailing_distance_after > 0.0;
    f64 lowest = INFINITY, highest = 0.0;
    i64 row = begin, code = 0;
    while (row < end && code == 0 && t->times[row] < until) {
        if (row + 4 <= end && t->times[row + 3] < until && have_no_code(t, row)) {
            const f64 *l = t->low + row, *h = t->high + row;
            f64 low = min2(min2(l[0], l[1]), min2(l[2], l[3])), high = max2(max2(h[0], h[1]), max2(h[2], h[3]));
            f64 total = l[0] + l[1] + l[2] + l[3];
            f64 at_low = cash + held * low, at_high = cash + held * high;
            f64 raised = max2(max2(equity_peak, at_low), at_high), worst = min2(at_low, at_high);
            if (low > span.low && high < span.high && total == total &&
                !(drawdown > 0.0 && worst <= raised * (1.0 - drawdown)) && !(daily_loss > 0.0 && worst <= daily_floor) &&
                !(trails && (is_long ? high > y->peak : low < y->peak))) {
                equity_peak = raised;
                lowest = min2(lowest, low);
                highest = max2(highest, high);
                row += 4;
                continue;
            }
        }
        f64 low = t->low[row], high = t->high[row];
        if (!(low > span.low && high < span.high)) break;
        if (breaks) {
            f64 at_low = cash + held * low, at_high = cash + held * high;
            f64 raised = max2(max2(equity_peak, at_low), at_high), worst = min2(at_low, at_high);
            if ((drawdown > 0.0 && worst <= raised * (1.0 - drawdown)) || (daily_loss > 0.0 && worst <= daily_floor))
                break;
            equity_peak = raised;
        }
        if (trails && (is_long ? high > y->peak : low < y->peak)) {
            f64 before = y->peak;
            y->peak = is_long ? high : low;
            trail(b);
            span = quiet_span(y);
            if (low <= span.low || high >= span.high) {
                y->peak = before;
                trail(b);
                break;
            }
        }
        lowest = min2(lowest, low);
        highest = max2(highest, high);
        code = t->codes[row++];
    }
    for (i64 k = begin; k < row; k++) t->equity[k] = cash + held * t->close[k];
    if (row > begin) {
        y->peak = is_long ? max2(y->peak, highest) : min2(y->peak, lowest);
        y->lowest = min2(y->lowest, lowest);
        y->highest = max2(y->highest, highest);
        y->bars_held += row - begin;
        a->open_bars += row - begin;
        a->equity_peak = max2(a->equity_peak, cash + held * (is_long ? highest : lowest));
        a->equity = cash + held * t->close[row - 1];
    }
    return row;
}

static inline i64 quiet_run(const Book *b, const Tape *t, i64 begin, i64 end, i64 opened) {
    Account *a = b->a;
    Symbol *y = b->y;
    if (y->exit_reason != NO_REASON || y->entry_side != 0) return begin;
    i64 timeframe = b->g->timeframe_ns;
    i64 day_begin = a->day * DAY_NS, until = day_begin + DAY_NS - timeframe;
    if (t->times[begin] < day_begin) return begin;
    i64 row = y->quantity == 0.0 ? flat_run(b, t, begin, end, until)
                                 : held_run(b, t, begin, end, least(until, y->time_limit_ns - timeframe));
    if (row > begin) {
        i64 last = row - 1, close_ns = t->times[last] + timeframe;
        f64 close = t->close[last];
        y->first_low = first_extreme_is_low(y, b->g->path, close >= t->open[last]);
        y->entered_in_leg = 0;
        y->blocked = 0;
        y->reference = y->first_low == 0 ? t->low[last] : t->high[last];
        y->last = close;
        y->last_time_ns = close_ns;
        a->time_ns = close_ns;
        a->phase += 4 * (row - begin) - opened;
        y->last_phase = a->phase;
    }
    return row;
}

/* `values` is (5, n): open, high, low, close, volume; `levels` is (8, columns). */
void run_bars(Account *account, const Config *config, Symbol *symbol, LogRow *sink, const i64 *times, const f64 *values,
              const uint8_t *codes, const f64 *levels, i64 columns, f64 *equity, i64 n) {
    Book book = {account, config, symbol, sink}, *b = &book;
    Tape tape = {times, values, values + n, values + 2 * n, values + 3 * n, codes, equity}, *t = &tape;
    i64 i = 0, opened = 0;
    while (i < n) {
        if (config->is_exact == 0) {
            i64 row = quiet_run(b, t, i, n, opened);
            if (row > i) {
                i = row;
                opened = 0;
                if (codes[i - 1] != 0) decide_code(b, codes[i - 1], levels, columns, i - 1);
                continue;
            }
        }
        if (opened == 0) {
            open_events(b, t, i);
            opened = 1;
            continue;
        }
        rest_events(b, t, i);
        opened = 0;
        if (t->open[i] == t->open[i]) {
            symbol->blocked = 0;
            if (symbol->quantity != 0.0) {
                symbol->bars_held += 1;
                account->open_bars += 1;
            }
            if (codes[i] != 0) decide_code(b, codes[i], levels, columns, i);
        }
        equity[i] = account->equity;
        i++;
    }
}
