// A document with one turnable surface, whose canvas notes what is drawn.
function newElement(name) {
  return {
    name: name, attributes: {}, children: [], listeners: {}, text: "",
    setAttribute: function (key, value) { this.attributes[key] = value; },
    getAttribute: function (key) { return this.attributes[key]; },
    appendChild: function (child) { this.children.push(child); },
    addEventListener: function (event, listener) {
      const before = this.listeners[event];
      this.listeners[event] = before ? function (e) { before(e); listener(e); } : listener;
    },
    set textContent(value) { this.text = value; this.children = []; },
    get textContent() {
      return this.text + this.children.map(function (c) { return c.textContent; }).join("");
    },
  };
}

// A pen that keeps polygons, lines, discs and texts, in the order drawn.
var drawn = [], shape = [];
var pen = {
  setTransform: function (a) { pen.scale = a; },
  fillRect: function () { drawn = []; },
  beginPath: function () { shape = []; },
  moveTo: function (x, y) { shape.push([x, y]); },
  lineTo: function (x, y) { shape.push([x, y]); },
  closePath: function () {},
  arc: function (x, y, r) { shape = {disc: [x, y], radius: r}; },
  fill: function () {
    drawn.push(shape.disc ? {Kind: "disc", Points: [shape.disc], Color: pen.fillStyle} : {Kind: "polygon", Points: shape, Color: pen.fillStyle});
  },
  stroke: function () { if (shape.length === 2) { drawn.push({Kind: "line", Points: shape, Color: pen.strokeStyle}); } },
  strokeText: function () {},
  fillText: function (text, x, y) { drawn.push({Kind: "text", Text: text, Align: pen.textAlign, Points: [[x, y]], Color: pen.fillStyle}); },
};

var canvas = newElement("canvas");
canvas.getContext = function () { return pen; };
var parts = {canvas: canvas};
["picture", "turning", "title", "switch", "hint", "key"].forEach(function (part) { parts["[data-kn=" + part + "]"] = newElement(part); });

var root = newElement("div");
root.querySelector = function (selector) { return parts[selector]; };

var window = {devicePixelRatio: 2};
var document = {
  createElement: newElement,
  querySelectorAll: function () { return [root, root]; }, // the second time must change nothing
};

function state() {
  return JSON.stringify({
    Drawn: drawn, Title: parts["[data-kn=title]"].textContent, Switch: parts["[data-kn=switch]"].textContent,
    Key: parts["[data-kn=key]"].textContent, Label: canvas.attributes["aria-label"],
    Picture: parts["[data-kn=picture]"].attributes.style || "", Turning: parts["[data-kn=turning]"].attributes.style,
  });
}

function drag(dx, dy) {
  canvas.listeners.pointermove({clientX: 999, clientY: 999}); // nothing is held yet
  canvas.listeners.pointerdown({clientX: 100, clientY: 100, pointerId: 1});
  canvas.listeners.pointermove({clientX: 100 + dx, clientY: 100 + dy});
  canvas.listeners.pointerup({});
  canvas.listeners.pointermove({clientX: 999, clientY: 999});
}

function press(key) { canvas.listeners.keydown({key: key, preventDefault: function () {}, stopPropagation: function () {}}); }
function click() { parts["[data-kn=switch]"].listeners.click(); }
