// A document with one slider: elements hold attributes, children and text.
function newElement(name) {
  return {
    name: name, attributes: {}, children: [], text: "",
    setAttribute: function (key, value) { this.attributes[key] = value; },
    getAttribute: function (key) { return this.attributes[key]; },
    appendChild: function (child) { this.children.push(child); },
    set textContent(value) { this.text = value; this.children = []; },
    get textContent() {
      return this.text + this.children.map(function (c) { return c.textContent; }).join("");
    },
  };
}

function newInput(value) {
  var input = newElement("input");
  input.value = String(value);
  input.addEventListener = function (event, listener) { if (event === "input") { input.on = event; input.listener = listener; } };
  parts.input = input;
  return input;
}

var parts = {svg: newElement("svg")};
["factor", "readings", "tokens", "still", "live", "picture"].forEach(function (part) { parts["[data-kn=" + part + "]"] = newElement("div"); });

// Markup put into the picture is there as an svg element.
parts["[data-kn=picture]"].querySelector = function (selector) {
  return this.innerHTML.indexOf("<svg") === 0 ? parts[selector] : null;
};

var root = newElement("div");
root.querySelector = function (selector) { return parts[selector]; };

var document = {
  createElement: newElement,
  createElementNS: function (namespace, name) { return newElement(name); },
  querySelectorAll: function () { return [root, root]; }, // the second time must change nothing
};

function moveTo(position) {
  input.value = String(position);
  if (input.on !== "input") { throw new Error("the script does not listen"); }
  input.listener();
  var drawn = parts.svg.children;
  return {
    Factor: parts["[data-kn=factor]"].textContent,
    Readings: parts["[data-kn=readings]"].textContent.replace(/\u25cf/g, " "),
    Tokens: parts["[data-kn=tokens]"].textContent,
    Still: parts["[data-kn=still]"].attributes.style, Live: parts["[data-kn=live]"].attributes.style,
    LineX: Number(drawn[0].attributes.x1),
    Dots: drawn.slice(1).map(function (d) { return {X: Number(d.attributes.cx), Y: Number(d.attributes.cy)}; }),
  };
}
