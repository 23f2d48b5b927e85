"""The service's requests and answers."""

from fastapi import FastAPI
from pydantic import BaseModel

from orders.prices import total

app = FastAPI(title="orders")


class Order(BaseModel):
    """What a customer wants: prices in cents, one for each piece."""

    customer: str
    prices: list[int]


@app.post("/orders")
def place(order: Order) -> dict[str, int]:
    """Say what an order costs, in cents."""
    return {"total": total(order.prices)}
