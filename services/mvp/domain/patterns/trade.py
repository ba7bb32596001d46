"""Products that sell goods: what was ordered, what goes out when, what runs short."""

from __future__ import annotations

from typing import Final

from services.mvp.domain.model import (
    Behaviour,
    Criterion,
    Day,
    Kit,
    Money,
    Ref,
    date,
    decimal,
    email,
    entity,
    enum,
    integer,
    ref,
    string,
    text,
)
from services.mvp.domain.patterns.context import Context, Pattern, any_of

_GOODS: Final = [
    (
        any_of("coffee", "teas?", r"roast\w*"),
        ("coffee bag", ("House blend 250 g", "Single origin 250 g", "Decaf 250 g")),
    ),
    (
        any_of("meals?", r"lunch\w*", "dinners?", r"cook\w*", "food"),
        ("meal", ("Lentil stew", "Fish and potatoes", "Vegetable curry")),
    ),
    (any_of("flowers?", "plants?", "bouquets?"), ("bouquet", ("Seasonal small", "Seasonal large", "Dried"))),
    (any_of("clothes", "clothing", "fashion", "shoes?"), ("garment", ("Linen shirt", "Wool jumper", "Rain jacket"))),
    (
        any_of(
            "books?",
        ),
        ("book", ("Novel of the month", "Picture book", "Cookbook")),
    ),
    (any_of("wine", "beers?"), ("bottle", ("House red", "House white", "Pale ale"))),
]


def orders(context: Context) -> Kit:
    """Goods, customers and their orders, with deliveries by day and promises kept within the stock."""
    goods, names = context.first(_GOODS, ("product", ("Starter set", "Standard set", "Large set")))
    product = entity(
        goods,
        [
            string("name"),
            decimal("price"),
            integer("in_stock", maximum=100_000),
            integer("reorder_at", maximum=100_000),
        ],
        fallback="product",
    )
    customer = entity("customer", [string("name"), email(), text("address")])
    order = entity(
        "order",
        [
            ref(customer),
            ref(product),
            integer("quantity", minimum=1, maximum=1000),
            date("deliver_on"),
            enum("status", "ordered", "delivered", "cancelled"),
            text("notes"),
        ],
        label="deliver_on",
    )
    product_id, customer_id = f"{product.snake}_id", f"{customer.snake}_id"
    prices = (("9.50", 24, 10), ("14.00", 6, 5), ("11.00", 40, 10))
    product.seeds = [
        {"name": name, "price": Money(price), "in_stock": stock, "reorder_at": level}
        for name, (price, stock, level) in zip(names, prices, strict=True)
    ]
    customer.seeds = [
        {"name": name, "email": f"{name.split()[0].lower()}@example.com"}
        for name in ("Ines Prado", "Karl Vogt", "Zoe Adeyemi")
    ]
    order.seeds = [
        {customer_id: Ref(customer, who), product_id: Ref(product, what), "quantity": count, "deliver_on": Day(day)}
        for who, what, count, day in ((0, 1, 2, 1), (1, 0, 1, 2), (2, 2, 3, 5), (1, 0, 1, -1))
    ]
    return Kit(
        [product, customer, order],
        [
            Behaviour(
                kind="orders",
                feature="Deliver orders in time and within the stock",
                answers=r"deliver|order|sell|ship|box|subscri|stock|shop|buy",
                params={
                    "product": product,
                    "customer": customer,
                    "order": order,
                    "product_id": product_id,
                    "customer_id": customer_id,
                },
                criteria=(
                    Criterion(
                        "test_refuses_more_than_is_left",
                        f"Given 5 of {product.a} in stock and an order for 3, when 3 more are ordered, "
                        "then that is refused with what is left.",
                    ),
                    Criterion(
                        "test_lists_deliveries_by_day",
                        "Given orders for different days, when the deliveries of the week are asked for, then they are "
                        "listed by day, late ones first and cancelled ones not at all.",
                    ),
                    Criterion(
                        "test_names_what_runs_short",
                        f"Given {product.a} whose open orders leave less than its level to reorder at, "
                        "when what runs short is asked for, then it is named with what is left.",
                    ),
                ),
                guards=order,
            )
        ],
    )


PATTERNS: Final = (
    Pattern(
        "orders",
        any_of(
            "subscription box(?:es)?",
            r"deliver\w* (?:\w+[ -]){0,3}(?:meals?|food|groceries|flowers?|plants?|coffee|products?|boxes|books?)",
            r"home.cooked meals?",
            "online (?:shop|store)",
            r"e.?commerce (?:shop|store|brand)",
            r"(?:sells?|selling) (?:\w+ ){0,3}(?:products?|goods|clothes|coffee|books?|plants?|furniture)",
        ),
        orders,
        unless=any_of("api", "ai agents?", "drones?"),
    ),
)
