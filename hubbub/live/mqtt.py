"""Events to an MQTT broker, and labels as sensors that Home Assistant finds by itself.

Below PREFIX: `status` (online, offline; the broker says offline when hubbub is gone), `LABEL/state` (ON while it
sounds, else OFF) and `LABEL/event` (the last event, as JSON), the first two retained. Below `homeassistant/`, retained,
what makes each label a binary sensor.
"""

import json
import re
from collections.abc import Sequence
from importlib import import_module
from threading import Lock
from typing import Any
from urllib.parse import unquote, urlsplit

import hubbub
from hubbub.errors import ConfigError
from hubbub.live.listening import Heard, Say, Sink

PORTS = {"mqtt": 1883, "mqtts": 8883}
DISCOVERY = "homeassistant"
PREFIX = "hubbub"
SLOWEST_RETRY = 60
"""Seconds between two tries to reach a broker, at most; the first ones follow sooner."""
QUEUED = 1000
"""Messages that wait for a broker at most."""
LAST_WORDS = 5.0
"""Seconds that the last messages have."""


class Mqtt(Sink):
    """Publishes to the broker at mqtt://USER:PASSWORD@HOST:PORT/PREFIX, mqtts for TLS; all but the host may be missing.

    A broker that cannot be reached, now or later, is tried again and again; that is said, and costs no sound.
    Raises `ConfigError` for a URL that is none, `ModuleNotFoundError` where paho-mqtt is not installed.
    """

    def __init__(self, url: str, labels: Sequence[str], say: Say) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        self._prefix = unquote(parts.path).strip("/") or PREFIX
        if parts.scheme not in PORTS or not parts.hostname or re.search(r"[+#\0]", self._prefix):
            raise ConfigError("--mqtt: wanted mqtt://USER:PASSWORD@HOST:PORT/PREFIX, or mqtts://…, no + or # in PREFIX")
        self._where = f"--mqtt {parts.hostname}"
        self._names = _names(labels)
        self._say = say
        self._lock = Lock()
        self._sounding = dict.fromkeys(labels, 0)  # how many events are open
        self._told_away = False
        self._closing = False
        paho: Any = import_module("paho.mqtt.client")
        self._client: Any = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if parts.username is not None:
            password = None if parts.password is None else unquote(parts.password)
            self._client.username_pw_set(unquote(parts.username), password)
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.max_queued_messages_set(QUEUED)
        self._client.reconnect_delay_set(1, SLOWEST_RETRY)
        self._client.will_set(f"{self._prefix}/status", "offline", qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda client, data: self._away("cannot be reached")
        self._client.on_disconnect = self._on_disconnect
        self._client.connect_async(parts.hostname, port if port is not None else PORTS[parts.scheme])
        self._client.loop_start()

    def began(self, heard: Heard) -> None:
        """Its label is ON."""
        self._count(heard.event.label, 1)

    def ended(self, heard: Heard) -> None:
        """The event, and OFF unless another one of its label goes on."""
        self._publish(f"{self._names[heard.event.label]}/event", json.dumps(heard.to_dict(), ensure_ascii=False))
        self._count(heard.event.label, -1)

    def close(self) -> None:
        """Says offline and takes leave."""
        self._closing = True
        last = self._publish("status", "offline", retain=True)
        if self._client.is_connected():
            try:
                last.wait_for_publish(LAST_WORDS)
            except (RuntimeError, ValueError):  # the broker went away in between
                self._away("is gone")
        self._client.disconnect()
        self._client.loop_stop()

    def _count(self, label: str, more: int) -> None:
        with self._lock:
            before = self._sounding[label]
            self._sounding[label] = before + more
            if bool(before) != bool(before + more):
                self._publish_state(label)

    def _publish_state(self, label: str) -> None:
        self._publish(f"{self._names[label]}/state", "ON" if self._sounding[label] else "OFF", retain=True)

    def _publish(self, topic: str, message: str, retain: bool = False) -> Any:
        return self._client.publish(f"{self._prefix}/{topic}", message, qos=1, retain=retain)

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._away(f"refuses the connection: {reason}")
            return
        self._told_away = False
        for label in self._names:
            topic, config = self._sensor(label)
            client.publish(topic, json.dumps(config, ensure_ascii=False), qos=1, retain=True)
        with self._lock:
            for label in self._names:
                self._publish_state(label)
        self._publish("status", "online", retain=True)

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._away(f"is gone: {reason}")

    def _away(self, what: str) -> None:
        if not self._told_away and not self._closing:
            self._say(f"{self._where}: {what}; tried again until it is there")
        self._told_away = True

    def _sensor(self, label: str) -> tuple[str, dict[str, Any]]:
        """The topic and the message by which Home Assistant finds a label."""
        node, name = _slug(self._prefix), self._names[label]
        return f"{DISCOVERY}/binary_sensor/{node}/{name}/config", {
            "name": label,
            "unique_id": f"{node}_{name}",
            "device_class": "sound",
            "state_topic": f"{self._prefix}/{name}/state",
            "json_attributes_topic": f"{self._prefix}/{name}/event",
            "availability_topic": f"{self._prefix}/status",
            "device": {
                "identifiers": [node],
                "name": self._prefix,
                "model": "hubbub",
                "sw_version": hubbub.__version__,
            },
            "origin": {"name": "hubbub", "sw_version": hubbub.__version__},
        }


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_") or "_"


def _names(labels: Sequence[str]) -> dict[str, str]:
    """Labels as parts of a topic, each another one."""
    names: dict[str, str] = {}
    for label in labels:
        name, n = _slug(label), 1
        while name in names.values():
            n += 1
            name = f"{_slug(label)}_{n}"
        names[label] = name
    return names
